"""What tests of the engine share: gates, engines on the fake driver, looks at what is left."""
