"""Discriminative loss (De Brabandere et al. 2017) on one crop."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class DiscriminativeLoss:
    """Pull pixels to their instance's mean, push the means of instances apart.

    The defaults are De Brabandere's; the paper uses ``pull_margin=0, push_margin=3`` and
    the background as one more instance.

    Parameters
    ----------
    pull_margin
        delta_v: pixels closer than this to their instance's mean are not pulled.
    push_margin
        delta_d: means farther apart than twice this are not pushed.
    pull_weight, push_weight, regulariser_weight
        Weights of the three terms.
    push_reach
        Push only instances whose bounding boxes are at most this many pixels apart;
        ``None`` pushes every pair. Distant objects may then share an embedding, and are
        told apart by connected components.
    background
        Whether label 0 is one more instance.
    free_dims
        Index of the first embedding dimension that the regulariser acts on; dimensions
        that carry pixel coordinates are left out.
    """

    pull_margin: float = 0.5
    push_margin: float = 1.5
    pull_weight: float = 1.0
    push_weight: float = 1.0
    regulariser_weight: float = 0.001
    push_reach: float | None = None
    background: bool = False
    free_dims: int = 0

    def __call__(
        self, embedding: Tensor, labels: Tensor, groups: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Compute the weighted terms.

        Parameters
        ----------
        embedding
            ``(E, *spatial)`` float.
        labels
            ``(*spatial)`` integers; 0 is background, negative is unknown and ignored.
        groups
            ``(*spatial)`` integers from 0: pixels of different groups, as the output
            windows of a batch, are neither pulled together nor pushed apart.

        Returns
        -------
        dict
            ``"pull"``, ``"push"`` and ``"regulariser"``, each a scalar tensor.
        """
        nothing = embedding.sum() * 0
        chosen = labels >= (0 if self.background else 1)
        if not bool(chosen.any()):
            return {"pull": nothing, "push": nothing, "regulariser": nothing}
        pixels = embedding[:, chosen].T
        group = None if groups is None else groups[chosen]
        names = labels[chosen]
        if group is not None:
            names = names * (int(group.max()) + 1) + group
        _, instance = torch.unique(names, return_inverse=True)
        sizes = torch.bincount(instance)
        means = _sum_by(instance, pixels, len(sizes)) / sizes[:, None]
        return {
            "pull": self.pull_weight * self._pull(pixels, instance, sizes, means),
            "push": self.push_weight * self._push(means, self._pairs(chosen, instance, group)),
            "regulariser": self.regulariser_weight * self._regulariser(means),
        }

    def _pull(self, pixels: Tensor, instance: Tensor, sizes: Tensor, means: Tensor) -> Tensor:
        excess = (_length(pixels - means[instance]) - self.pull_margin).clamp_min(0) ** 2
        return (_sum_by(instance, excess[:, None], len(sizes))[:, 0] / sizes).mean()

    def _push(self, means: Tensor, pairs: Tensor) -> Tensor:
        """Mean over ``(2, n)`` pairs of instances; 0 if there is none."""
        difference = means[pairs[0]] - means[pairs[1]]
        # Means that are exactly equal have no direction in which to be pushed.
        pushed = difference.detach().abs().sum(1) > 0
        hinge = (2 * self.push_margin - _length(difference)).clamp_min(0) ** 2
        return (hinge * pushed).sum() / max(1, len(hinge))

    def _regulariser(self, means: Tensor) -> Tensor:
        free = means[:, self.free_dims :]
        return _length(free).mean() if free.shape[1] else means.sum() * 0

    def _pairs(self, chosen: Tensor, instance: Tensor, group: Tensor | None) -> Tensor:
        """``(2, n)`` indices of the instances to push from each other, each pair once."""
        count = int(instance.max()) + 1
        pushed = torch.ones(count, count, dtype=torch.bool, device=instance.device).triu(1)
        if group is not None:
            of = group.new_empty(count).scatter_(0, instance, group)
            pushed &= of[:, None] == of[None]
        if self.push_reach is not None:
            pushed &= self._gaps(chosen, instance, count) <= self.push_reach
        return pushed.nonzero().T

    @staticmethod
    def _gaps(chosen: Tensor, instance: Tensor, count: int) -> Tensor:
        """Distance of the bounding boxes of each two instances along the farthest axis."""
        positions = chosen.nonzero()
        index = instance[:, None].expand_as(positions)
        empty = positions.new_zeros(count, positions.shape[1])
        first = empty.scatter_reduce(0, index, positions, "amin", include_self=False)
        last = empty.scatter_reduce(0, index, positions, "amax", include_self=False)
        return torch.maximum(first[:, None] - last[None], first[None] - last[:, None]).amax(2)


def _sum_by(index: Tensor, values: Tensor, count: int) -> Tensor:
    return values.new_zeros(count, values.shape[1]).index_add_(0, index, values)


def _length(vectors: Tensor) -> Tensor:
    return ((vectors**2).sum(-1) + 1e-12).sqrt()
