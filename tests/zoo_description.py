"""The description of a package of the BioImage Model Zoo, up to its weights."""

SMALL = """
type: model
format_version: 0.5.3
name: small
description: a small network
authors: [{name: Nobody}]
cite: [{text: none, doi: 10.1234/abc}]
license: MIT
documentation: readme.md
timestamp: 2026-01-01T00:00:00
inputs:
- id: input
  axes:
  - {type: batch}
  - {type: channel, channel_names: [grey]}
  - {type: space, id: y, size: {min: 16, step: 2}}
  - {type: space, id: x, size: {min: 16, step: 2}}
  test_tensor: {source: input.npy}
outputs:
- id: output
  axes:
  - {type: batch}
  - {type: channel, channel_names: [a, b]}
  - {type: space, id: y, size: {tensor_id: input, axis_id: y}}
  - {type: space, id: x, size: {tensor_id: input, axis_id: x}}
  test_tensor: {source: output.npy}
weights:
"""
