"""Shift-Net: a U-Net that copies known features into the hole of its decoder.

Source: Yan, Li, Li, Zuo and Shan, "Shift-Net: Image Inpainting via Deep Feature Rearrangement",
ECCV 2018, sections 3.1 to 3.3. A re-implementation from the paper: no code and no weights of its
authors.

What is notable:
- At 1/8 of the image's side each hidden place of the decoder looks for the known place of the
  encoder whose feature is nearest to its own in cosine (equation 2), and that feature is put there
  (equation 4). Decoder, encoder and shifted features go on side by side.
- The guidance loss draws the decoder's features of hidden places towards those that the encoder
  has of the clean image (equation 1), so that what they look for is the right thing.

What differs from the paper:
1.  Seven downs, not eight, so that it can be trained on 128x128 faces first: the last feature is
    2x2 for 256x256. `width` scales all channels.
2.  The mask is a fourth channel of the input, as in the authors' later releases.
3.  A place at 1/8 is hidden if any of its 8x8 pixels is; the shifted features of known places are
    zero.
4.  InstanceNorm behind each convolution but the first and the last of the encoder, and LeakyReLU
    behind that, as in `paper.py`, whose blocks are used.
5.  The features that are compared and guided come from behind the activations of those blocks: the
    decoder's (ReLU) are never negative, the encoder's (LeakyReLU) may be a little. So the guidance
    loss cannot reach 0, and the cosines are a little smaller than before the activations.
6.  The adversarial loss is that of least squares (`losses/adversarial.py`), as in this loop's other
    networks; the paper's, and the default of the authors' public code, is the log loss.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unveil.models.paper import DOWN_CHANNELS, UP_CHANNELS, Down, Up, init_normal

DEPTH = 7
SHIFT_AT = 3  # downs before the layer that is shifted: 32x32 of 256x256


def hidden_places(mask: Tensor, stride: int) -> Tensor:
    """(N, 1, S, S), 1 = hidden -> (N, 1, S/stride, S/stride): 1 where any pixel of it is."""
    return F.max_pool2d(mask, stride)


def shift(decoder: Tensor, encoder: Tensor, hidden: Tensor) -> Tensor:
    """Put into each hidden place the known encoder feature nearest to the decoder's in cosine.

    Args:
        decoder, encoder: (N, C, H, W).
        hidden: (N, 1, H, W), 1 = hidden.

    Returns:
        (N, C, H, W), zero in known places. The choice has no gradient, what is copied has.
    """
    asked = F.normalize(decoder.detach().flatten(2), dim=1)  # (N, C, P)
    offered = F.normalize(encoder.detach().flatten(2), dim=1)
    likeness = asked.transpose(1, 2) @ offered  # (N, P, P)
    # A cosine is at most 1: no hidden place is ever nearer than a known one.
    nearest = (likeness - 4 * hidden.flatten(2)).argmax(dim=2)  # (N, P)
    copied = encoder.flatten(2).gather(2, nearest[:, None].expand(-1, encoder.shape[1], -1))
    return copied.reshape(encoder.shape) * hidden


def guidance_loss(decoder: Tensor, encoder: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared distance over hidden places (equation 1, as a mean).

    Args:
        decoder: (N, C, H, W) of the occluded image.
        encoder: (N, C, H, W) of the clean one; a target, without gradient.
        hidden: (N, 1, H, W), 1 = hidden.
    """
    difference = (decoder - encoder.detach()).square() * hidden
    return difference.sum() / (hidden.sum() * decoder.shape[1]).clamp(min=1)


class ShiftNet(nn.Module):
    """(occluded face, mask) -> restored face.

    Args:
        width: channels relative to the paper's 64 to 512.
    """

    def __init__(self, width: float = 1.0) -> None:
        super().__init__()
        down = [max(4, round(c * width)) for c in DOWN_CHANNELS[:DEPTH]]
        up = [max(4, round(c * width)) for c in UP_CHANNELS[1 - DEPTH :]]
        last = DEPTH - 1
        self.downs = nn.ModuleList(
            Down(4 if i == 0 else down[i - 1], channels, normalize=0 < i < last, plain=True)
            for i, channels in enumerate(down)
        )
        ups, channels = [], down[last]
        for i, out in enumerate(up):
            ups.append(Up(channels, out, plain=True))
            channels = out + down[last - 1 - i]
            if last - 1 - i == SHIFT_AT - 1:
                channels += down[SHIFT_AT - 1]
        self.ups = nn.ModuleList(ups)
        self.output = nn.ConvTranspose2d(channels, 3, 4, stride=2, padding=1)
        init_normal(self)

    def forward(self, face: Tensor, mask: Tensor) -> Tensor:
        """Restore faces.

        Args:
            face: (B, 3, S, S) in [-1, 1], S a multiple of 128; hidden pixels do not matter.
            mask: (B, 1, S, S), 1 = hidden.

        Returns:
            (B, 3, S, S) in [-1, 1].
        """
        return self._decode(face, mask)[0]

    def guided(self, face: Tensor, mask: Tensor, clean: Tensor) -> tuple[Tensor, Tensor]:
        """`forward`, and the guidance loss with the clean faces (B, 3, S, S)."""
        restored, guess = self._decode(face, mask)
        with torch.no_grad():
            truth = self._encode(clean, torch.zeros_like(mask), SHIFT_AT)[-1]
        return restored, guidance_loss(guess, truth, hidden_places(mask, 2**SHIFT_AT))

    def _encode(self, face: Tensor, mask: Tensor, downs: int) -> list[Tensor]:
        features = [torch.cat([face * (1 - mask), mask], dim=1)]
        for down in list(self.downs)[:downs]:  # (B, 64, S/2, S/2) ... (B, 512, S/128, S/128)
            features.append(down(features[-1]))
        return features[1:]

    def _decode(self, face: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The restored face, and the decoder's features at 1/8 that guide the shift."""
        skips = self._encode(face, mask, DEPTH)
        x = guess = skips.pop()
        for up in self.ups:  # (B, 512, S/64, S/64) ... (B, 64, S/2, S/2)
            x, skip = up(x), skips.pop()
            parts = [x, skip]
            if len(skips) == SHIFT_AT - 1:
                guess = x
                parts.append(shift(x, skip, hidden_places(mask, 2**SHIFT_AT)))
            x = torch.cat(parts, dim=1)
        return torch.tanh(self.output(x)), guess
