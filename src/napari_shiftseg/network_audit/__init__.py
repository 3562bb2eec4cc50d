"""Audit of any network: its period, receptive field and non-local parts, and what they cost.

The numbers are measured by running the network (:mod:`.shifts`, :mod:`.reach`,
:mod:`.locality`) and read from its modules (:mod:`.reading`); :mod:`.verdict` says what
they mean for tile-and-stitch.
"""
