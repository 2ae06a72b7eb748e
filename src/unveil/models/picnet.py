"""PICNet: several plausible completions of one image.

Source: Zheng, Cham and Cai, "Pluralistic Image Completion", CVPR 2019, sections 3.1 to 3.3 and the
appendix. A re-implementation from the paper: no code and no weights of its authors.

What is notable:
- Two paths share one decoder. The reconstructive path sees what is hidden, in training only: it
  infers q(z | hidden part) and must give the whole image back. The generative path sees the known
  part alone and infers p(z | known part), which the KL terms draw towards q. At run time z is drawn
  from p: another draw, another face.
- q itself is drawn towards N(0, s(n)^2), where s grows with the hidden share: the less is hidden,
  the fewer ways there are to complete it (section 3.2).
- Short+long term attention at 1/8 (section 3.3): the decoder's features attend to one another, and
  by the same weights to the encoder's features of the known part.

What differs from the paper:
1.  `width` scales all channels.
2.  Spectral norms in the discriminators alone. The encoder and decoder train faster without.
3.  The mask is a fourth channel of the encoder's input: its zeros are no grey then.
4.  The discriminators have no attention.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

CHANNELS = (32, 64, 128, 128, 128)  # behind each down: 1/2 to 1/32
LATENT = 128
SCALES = 4  # the last outputs: 1/8, 1/4, 1/2 and whole
ATTENTION_AT = 1  # behind this up: at 1/8
STRIDE = 2 ** len(CHANNELS)

Wrap = Callable[[nn.Module], nn.Module]


def _plain(layer: nn.Module) -> nn.Module:
    return layer


class ResBlock(nn.Module):
    """Two 3x3 convolutions beside a 1x1 one; activations first.

    Args:
        pool: halve the side at the end.
        first: the input is an image: no activation before the first convolution.
        wrap: around each convolution, for spectral norms.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden: int,
        *,
        pool: bool = False,
        first: bool = False,
        wrap: Wrap = _plain,
    ) -> None:
        super().__init__()
        self.pool, self.first = pool, first
        self.enter = wrap(nn.Conv2d(in_channels, hidden, 3, padding=1))
        self.leave = wrap(nn.Conv2d(hidden, out_channels, 3, padding=1))
        self.shortcut = wrap(nn.Conv2d(in_channels, out_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, in, H, W) -> (B, out, H, W), or half of H and W."""
        y = self.enter(x if self.first else F.leaky_relu(x, 0.1))
        y = self.leave(F.leaky_relu(y, 0.1))
        if self.pool:  # a 1x1 convolution and an average may change places
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
        result: Tensor = y + self.shortcut(x)
        return result


class UpBlock(nn.Module):
    """(B, in, H, W) -> (B, out, 2H, 2W): norm, 3x3, norm, transposed 3x3, beside a transposed."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.enter_norm = nn.InstanceNorm2d(in_channels)
        self.enter = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.leave_norm = nn.InstanceNorm2d(out_channels)
        self.leave = self._enlarge(out_channels, out_channels)
        self.shortcut = self._enlarge(in_channels, out_channels)

    @staticmethod
    def _enlarge(in_channels: int, out_channels: int) -> nn.Module:
        return nn.ConvTranspose2d(
            in_channels, out_channels, 3, stride=2, padding=1, output_padding=1
        )

    def forward(self, x: Tensor) -> Tensor:
        y = self.enter(F.leaky_relu(self.enter_norm(x), 0.1))
        y = self.leave(F.leaky_relu(self.leave_norm(y), 0.1))
        result: Tensor = y + self.shortcut(x)
        return result


class ShortLongAttention(nn.Module):
    """Attention over the decoder's places, whose weights serve the encoder's features too."""

    def __init__(self, channels: int, encoder_channels: int) -> None:
        super().__init__()
        self.ask = nn.Conv2d(channels, max(4, channels // 4), 1, bias=False)
        self.short = nn.Parameter(torch.zeros(()))
        self.long = nn.Parameter(torch.zeros(()))
        self.fuse = ResBlock(channels + encoder_channels, channels, channels)

    def forward(self, x: Tensor, encoder: Tensor, known: Tensor) -> Tensor:
        """Mix what other places know into each.

        Args:
            x: (B, C, H, W), the decoder's features.
            encoder: (B, E, H, W), the encoder's features of the known part.
            known: (B, 1, H, W), 1 = known.

        Returns:
            (B, C, H, W).
        """
        asked = self.ask(x).flatten(2)  # (B, C/4, P)
        match = (asked.transpose(1, 2) @ asked).softmax(-1)  # (B, P, P); asks and answers are one
        near = (x.flatten(2) @ match.transpose(1, 2)).reshape(x.shape)
        far = (encoder.flatten(2) @ match.transpose(1, 2)).reshape(encoder.shape)
        near = x + self.short * near
        far = known * encoder + self.long * (1 - known) * far
        result: Tensor = self.fuse(torch.cat([near, far], dim=1))
        return result


# Tuples, and no dataclasses: what wraps a network on several devices looks for the tensors in what
# it returns, and takes no frozen ones apart.
class Gaussian(NamedTuple):
    """A diagonal Gaussian over latents; mean and standard deviation (B, Z, H, W)."""

    mean: Tensor
    deviation: Tensor

    def draw(self, noise: Tensor) -> Tensor:
        """The sample that standard normal `noise` of the same shape stands for."""
        return self.mean + self.deviation * noise

    def divergence(self, other: Gaussian) -> Tensor:
        """KL(self || other) in nats, mean over all B Z H W entries: a scalar."""
        ratio = (self.deviation / other.deviation).square()
        distance = ((self.mean - other.mean) / other.deviation).square()
        return 0.5 * (ratio + distance - 1 - ratio.log()).mean()


class Completions(NamedTuple):
    """What training looks at, outputs from 1/8 to the whole side.

    `posterior` is q(z | hidden part), `conditional` p(z | known part)."""

    reconstructed: list[Tensor]
    generated: list[Tensor]
    posterior: Gaussian
    conditional: Gaussian


class PicNet(nn.Module):
    """(occluded face, mask, noise) -> one of many restored faces.

    Args:
        width: channels relative to the paper's 32 to 128, the latent's too.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        sizes = [max(4, round(c * width)) for c in CHANNELS]
        self.latent = max(4, round(LATENT * width))
        befores = [4, *sizes[:-1]]
        self.downs = nn.ModuleList(
            ResBlock(a, b, b if i == 0 else a, pool=True, first=i == 0)
            for i, (a, b) in enumerate(zip(befores, sizes, strict=True))
        )
        last = sizes[-1]
        self.posterior = ResBlock(last, 2 * self.latent, last)
        self.conditional = ResBlock(last, 2 * self.latent, last)
        self.enter = ResBlock(self.latent, last, last)
        ups, outputs, channels = [], [], last
        for i, out in enumerate(reversed(sizes)):
            ups.append(UpBlock(channels, out))
            channels = out
            if i >= len(sizes) - SCALES:
                outputs.append(nn.Conv2d(out, 3, 3, padding=1, padding_mode="reflect"))
                channels += 3
        self.ups, self.outputs = nn.ModuleList(ups), nn.ModuleList(outputs)
        at = len(sizes) - 2 - ATTENTION_AT
        self.attention = ShortLongAttention(sizes[at], sizes[at])
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
                nn.init.orthogonal_(layer.weight)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def noise_shape(self, side: int) -> tuple[int, int, int]:
        """(Z, H, W) of one face's noise."""
        return self.latent, side // STRIDE, side // STRIDE

    def forward(self, face: Tensor, mask: Tensor, noise: Tensor) -> Tensor:
        """Complete faces.

        Args:
            face: (B, 3, S, S) in [-1, 1], S a multiple of 32; hidden pixels do not matter.
            mask: (B, 1, S, S), 1 = hidden.
            noise: (B, Z, S/32, S/32), standard normal; zeros for the most likely latent.

        Returns:
            (B, 3, S, S) in [-1, 1].
        """
        features = self._encode(face, mask)
        conditional = self._infer(self.conditional, features[-1])
        return self._decode(conditional.draw(noise), features, mask)[-1]

    def both_paths(self, face: Tensor, mask: Tensor, clean: Tensor) -> Completions:
        """The two paths of training (section 3.3); draws its own noise.

        Args:
            face, mask: as in `forward`.
            clean: (B, 3, S, S) in [-1, 1].
        """
        features = self._encode(face, mask)
        posterior = self._infer(self.posterior, self._encode(clean, 1 - mask)[-1])
        conditional = self._infer(self.conditional, features[-1])
        draws = [g.draw(torch.randn_like(g.mean)) for g in (posterior, conditional)]
        doubled = [torch.cat([f, f]) for f in features]
        outputs = self._decode(torch.cat(draws), doubled, torch.cat([mask, mask]))
        halves = [output.chunk(2) for output in outputs]
        return Completions([h[0] for h in halves], [h[1] for h in halves], posterior, conditional)

    def _encode(self, face: Tensor, mask: Tensor) -> list[Tensor]:
        x = torch.cat([face * (1 - mask), mask], dim=1)
        features = []
        for down in self.downs:  # (B, 32, S/2, S/2) ... (B, 128, S/32, S/32)
            x = down(x)
            features.append(x)
        return features

    def _infer(self, head: nn.Module, feature: Tensor) -> Gaussian:
        mean, spread = head(feature).chunk(2, dim=1)
        return Gaussian(mean, F.softplus(spread) + 1e-3)

    def _decode(self, latent: Tensor, features: list[Tensor], mask: Tensor) -> list[Tensor]:
        x = features[-1] + self.enter(latent)
        outputs: list[Tensor] = []
        for i, up in enumerate(self.ups):
            x = up(x)  # (B, 128, S/16, S/16) ... (B, 32, S, S)
            if i == ATTENTION_AT:
                encoder = features[len(features) - 2 - i]
                known = 1 - F.max_pool2d(mask, mask.shape[-1] // x.shape[-1])
                x = self.attention(x, encoder, known)
            if i >= len(self.ups) - SCALES:
                layer = self.outputs[len(outputs)]
                outputs.append(torch.tanh(layer(F.leaky_relu(x, 0.1))))
                x = torch.cat([x, outputs[-1]], dim=1)
        return outputs


class PicDiscriminator(nn.Module):
    """(N, 3, H, W) -> (N, 1, H/32, W/32) scores, 1 for real; residual, spectrally normed."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        sizes = [max(4, round(c * width)) for c in CHANNELS]
        blocks = [
            ResBlock(a, b, b if i == 0 else a, pool=True, first=i == 0, wrap=spectral_norm)
            for i, (a, b) in enumerate(zip([3, *sizes[:-1]], sizes, strict=True))
        ]
        self.blocks = nn.Sequential(*blocks, ResBlock(*sizes[-1:] * 3, wrap=spectral_norm))
        self.head = spectral_norm(nn.Conv2d(sizes[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(F.leaky_relu(self.blocks(x), 0.1))
        return scores


def spread_of_hidden(mask: Tensor) -> Tensor:
    """(N, 1, S, S), 1 = hidden -> (N, 1, 1, 1): the deviation that q is drawn to (section 3.2).

    The paper says that it grows with what is hidden; the curve, near 0.2 where nothing is hidden
    and 1 where all is, is that of the authors' release.
    """
    known = 1 - mask.mean((1, 2, 3), keepdim=True)
    return torch.sigmoid(-8 * (known - 0.8))
