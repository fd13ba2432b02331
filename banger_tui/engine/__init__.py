"""The asyncio engine: VMs, images, kernels and operations, with no knowledge of any screen.

Start at :mod:`banger_tui.engine.api`.
"""
