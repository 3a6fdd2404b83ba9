"""The authors' release once more, for the tests: names and shapes of its checkpoints at any width, weights made from
names, and what its networks compute, in plain numpy and float64. Written from its described behaviour; nothing here
uses the code that is tested."""

import hashlib

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, ...]]


def _layer(shapes: Shapes, name: str, o: int, i: int, k: int, spectral: bool, transposed: bool = False) -> None:
    shape = (i, o, k, k) if transposed else (o, i, k, k)
    shapes[f"{name}.bias"] = (o,)
    if not spectral:
        shapes[f"{name}.weight"] = shape
        return
    shapes[f"{name}.weight_orig"] = shape
    shapes[f"{name}.weight_u"] = (o,)
    shapes[f"{name}.weight_v"] = (i * k * k,)


def _norm(shapes: Shapes, name: str, channels: int) -> None:
    shapes |= {f"{name}.weight": (channels,), f"{name}.bias": (channels,)}


def _block(shapes: Shapes, name: str, kind: str, i: int, h: int, o: int, spectral: bool, affine: bool) -> None:
    if affine:
        _norm(shapes, f"{name}.model.0", i)
        _norm(shapes, f"{name}.model.3", h)
    _layer(shapes, f"{name}.model.2", h, i, 4 if kind == "down" else 3, spectral)
    _layer(shapes, f"{name}.model.5", o, h, 3, spectral, kind == "up")
    if kind == "up":
        _layer(shapes, f"{name}.shortcut.0", o, i, 3, spectral, True)


def generator_shapes(width: int, editing: bool = False, layout_pose: bool = True) -> Shapes:
    """Name -> shape of ``latest_net_G.pth``; 64 is the width of the release."""
    s: Shapes = {}
    w, c = width, 4 * width
    if not editing:
        p = width // 2
        downs = [(44, p, 2 * p), (2 * p, 4 * p, 4 * p), (4 * p, 8 * p, 8 * p), (8 * p, 16 * p, 16 * p)]
        for n, (i, h, o) in enumerate(downs, 1):
            _block(s, f"parnet.conv{n}", "down", i, h, o, False, False)
        for n in (3, 4):
            for part in ("gated_conv", "mask_conv"):
                _layer(s, f"parnet.deform{n}.{part}", 16 * p, 16 * p, 3, False)
        for n, i in enumerate((16 * p, 8 * p, 4 * p, 2 * p), 1):
            _block(s, f"parnet.up{n}", "up", i, i // 2, i // 2, False, False)
        for name, o in (("parout", 8), ("makout", 1)):
            for twin in ("conv1", "model.3"):
                _layer(s, f"parnet.{name}.{twin}", o, p, 3, False)
    for name, inputs in (("Zencoder", 3), ("parenc", 37 if layout_pose else 19)):
        for n, (i, o) in enumerate(((inputs, 2 * w), (2 * w, c), (c, c), (c, c))):
            _block(s, f"{name}.block{n}", "down", i, o, o, True, True)
        for n in (4, 5):
            _block(s, f"{name}.block{n}", "up", c, c, c, True, True)
    _layer(s, "Zencoder.get_code.0", c, c, 1, False)
    for n in (3, 4):
        for part in ("gated_conv", "mask_conv"):
            _layer(s, f"parenc.deform{n}.{part}", c, c, 3, False)
    channels = 3
    for n, o in zip(
        (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34), (1, 1, 2, 2, *[4] * 4, *[8] * 8), strict=True
    ):
        _layer(s, f"imgenc.vgg.{n}", o * w, channels, 3, False)
        channels = o * w
    for name in ("gamma", "beta"):
        s[f"getMatrix.get_{name}.weight"] = (1, c, 1, 1)
        s[f"efb.blending_{name}"] = (1,)
        _layer(s, f"efb.conv_{name}", c, c, 3, False)
    for name in ("phi", "theta"):
        _layer(s, name, c, c + 3, 1, False)
    _norm(s, "efb.norm", c)
    s |= {"efb.norm.running_mean": (c,), "efb.norm.running_var": (c,), "efb.norm.num_batches_tracked": ()}
    for j in range(8):
        s |= {f"efb.fc_mu{j}.weight": (c, c), f"efb.fc_mu{j}.bias": (c,)}
    for name in ("res", "res1"):
        _block(s, name, "residual", c, c, c, False, True)
    for n, (kind, i, h, o) in enumerate(
        (("up", c, c, 2 * w), ("residual", 2 * w, 2 * w, 2 * w), ("up", 2 * w, 2 * w, w), ("residual", w, w, w))
    ):
        _block(s, f"dec.block{n}", kind, i, h, o, True, True)
    _norm(s, "dec.out.model.0", w)
    for twin in ("conv1", "model.3"):
        _layer(s, f"dec.out.{twin}", 3, w, 3, True)
    return s


def discriminator_shapes(width: int) -> Shapes:
    """Name -> shape of ``latest_net_D.pth``; 32 is the width of the release."""
    s: Shapes = {}
    w = width
    blocks = ("block0", 3, w, w), ("encoder0", w, w, 2 * w), ("encoder1", 2 * w, 2 * w, 4 * w)
    for name, i, h, o in (*blocks, ("encoder2", 4 * w, 4 * w, 4 * w)):
        _layer(s, f"{name}.model.1", h, i, 3, True)
        _layer(s, f"{name}.model.3", o, h, 4, True)
        _layer(s, f"{name}.shortcut.1", o, i, 1, True)
    _layer(s, "conv", 1, 4 * w, 1, True)
    return s


def filled(shapes: Shapes, seed: int = 0) -> Arrays:
    """A value for every name, the same wherever the name is the same; twins are equal."""
    out: Arrays = {}
    for name, shape in shapes.items():
        source = name.replace("out.model.3.", "out.conv1.")
        digest = hashlib.sha256(f"{seed} {source}".encode()).digest()
        noise = np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal(shape)
        if name.endswith("num_batches_tracked"):
            value = np.array(3)
        elif name.endswith("running_var"):
            value = 1 + 0.3 * noise**2
        elif name.endswith("weight_u"):
            value = noise / np.linalg.norm(noise)
        elif len(shape) == 1 and name.endswith("weight"):
            value = 1 + 0.1 * noise
        elif len(shape) == 1:
            value = 0.1 * noise
        else:
            value = noise / np.sqrt(np.prod(shape[1:]))
        out[name] = value if value.dtype.kind == "i" else value.astype(np.float32)
    for name in [n for n in shapes if n.endswith("weight_v")]:
        matrix = _matrix(out, name.removesuffix(".weight_v"))
        v = matrix.T @ out[name[:-1] + "u"].astype(np.float64)
        out[name] = (v / np.linalg.norm(v)).astype(np.float32)
    return out


def _matrix(tensors: Arrays, name: str) -> np.ndarray:
    weight = tensors[f"{name}.weight_orig"].astype(np.float64)
    outputs = len(tensors[f"{name}.weight_u"])
    if len(weight) != outputs or "shortcut.0" in name or name.endswith(("block4.model.5", "block5.model.5")):
        weight = weight.swapaxes(0, 1)  # a transposed convolution
    elif name in ("dec.block0.model.5", "dec.block2.model.5"):
        weight = weight.swapaxes(0, 1)
    return weight.reshape(outputs, -1)


class Reference:
    """What the release computes of one picture at a time; (C, H, W) float64 everywhere."""

    def __init__(self, tensors: Arrays):
        self.t = tensors

    def _weight(self, name: str) -> np.ndarray:
        if f"{name}.weight" in self.t:
            return self.t[f"{name}.weight"].astype(np.float64)
        u, v = (self.t[f"{name}.weight_{n}"].astype(np.float64) for n in "uv")
        return self.t[f"{name}.weight_orig"].astype(np.float64) / (u @ _matrix(self.t, name) @ v)

    def conv(self, x, name: str, stride: int = 1, mode: str = "constant"):
        w = self._weight(name)
        k = w.shape[2]
        x = np.pad(x, ((0, 0), *[((k - 1) // 2,) * 2] * 2), mode=mode)  # type: ignore[call-overload]
        windows = sliding_window_view(x, (k, k), (1, 2))[:, ::stride, ::stride]
        bias = self.t.get(f"{name}.bias", np.zeros(len(w)))
        return np.einsum("ihwkl,oikl->ohw", windows, w, optimize=True) + bias[:, None, None]

    def conv_up(self, x, name: str):
        """Transposed, 3x3, stride 2: every value is stamped onto the 3x3 about its place."""
        w = self._weight(name)
        _, height, width = x.shape
        out = np.zeros((w.shape[1], 2 * height + 1, 2 * width + 1))
        for dy in range(3):
            for dx in range(3):
                stamp = np.einsum("ihw,io->ohw", x, w[:, :, dy, dx])
                out[:, dy : dy + 2 * height : 2, dx : dx + 2 * width : 2] += stamp
        return out[:, 1:, 1:] + self.t[f"{name}.bias"][:, None, None]

    def norm(self, x, name: str):
        x = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
        if f"{name}.weight" in self.t:
            x = x * self.t[f"{name}.weight"][:, None, None] + self.t[f"{name}.bias"][:, None, None]
        return x

    def block(self, x, name: str, kind: str, slope: float = 0.1):
        y = leaky(self.norm(x, f"{name}.model.0"), slope)
        y = self.conv(y, f"{name}.model.2", stride=2 if kind == "down" else 1)
        y = leaky(self.norm(y, f"{name}.model.3"), slope)
        if kind == "up":
            return self.conv_up(y, f"{name}.model.5") + self.conv_up(x, f"{name}.shortcut.0")
        y = self.conv(y, f"{name}.model.5")
        return x + y if kind == "residual" else y

    def gated(self, x, name: str):
        feature, gate = self.conv(x, f"{name}.gated_conv"), self.conv(x, f"{name}.mask_conv")
        return self.norm(leaky(feature, 0.2) / (1 + np.exp(-gate)), "")

    def parsing(self, source_map, source_pose, target_pose):
        """(8, H, W) in [0, 1]."""
        x = np.concatenate([source_map, source_pose, target_pose])
        for n in range(1, 5):
            x = self.block(x, f"parnet.conv{n}", "down", 0.2)
        x = self.gated(self.gated(x, "parnet.deform3"), "parnet.deform4")
        for n in range(1, 5):
            x = self.block(x, f"parnet.up{n}", "up", 0.2)
        return (np.tanh(self.conv(leaky(self.norm(x, ""), 0.2), "parnet.parout.conv1", mode="reflect")) + 1) / 2

    def encoder(self, x, name: str):
        for n in range(4):
            x = self.block(x, f"{name}.block{n}", "down")
        if name == "parenc":
            x = self.gated(self.gated(x, "parenc.deform3"), "parenc.deform4")
        return self.block(self.block(x, f"{name}.block4", "up"), f"{name}.block5", "up")

    def codes(self, image, source_map):
        """(9, C), the last for the whole picture; and which of the eight are there."""
        feature = np.tanh(self.conv(self.encoder(image, "Zencoder"), "Zencoder.get_code.0"))
        masks = source_map[:, ::4, ::4] != 0
        rows = [feature[:, m].mean(1) if m.any() else np.zeros(len(feature)) for m in masks]
        return np.stack([*rows, feature.mean((1, 2))]), masks.any((1, 2))

    def vgg(self, image):
        """relu3_1."""
        x = np.maximum(self.conv(image, "imgenc.vgg.0"), 0)
        for first, second in ((2, 5), (7, 10)):
            x = np.maximum(self.conv(x, f"imgenc.vgg.{first}"), 0)
            x = np.maximum(np.maximum(x[:, ::2], x[:, 1::2])[..., ::2], np.maximum(x[:, ::2], x[:, 1::2])[..., 1::2])
            x = np.maximum(self.conv(x, f"imgenc.vgg.{second}"), 0)
        return x

    def per_region(self, x, codes, exist, target_map):
        target_map = target_map[:, ::4, ::4]
        painted = np.zeros_like(x)
        for j in range(8):
            weight, bias = (self.t[f"efb.fc_mu{j}.{n}"].astype(np.float64) for n in ("weight", "bias"))
            vector = np.maximum(weight @ codes[j if exist[j] else 8] + bias, 0)
            painted[:, target_map[j] != 0] = vector[:, None]
        mean, var, scale, bias = (
            self.t[f"efb.norm.{n}"][:, None, None] for n in ("running_mean", "running_var", "weight", "bias")
        )
        x = (x - mean) / np.sqrt(var + 1e-5) * scale + bias
        return x * (1 + self.conv(painted, "efb.conv_gamma")) + self.conv(painted, "efb.conv_beta")

    def patches(self, x, name: str):
        """(hw, 9 C) of length 1 about their mean."""
        _, height, width = x.shape
        x = x / (np.linalg.norm(x, axis=0) + 2.2e-16)
        y_plane, x_plane = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        x = self.conv(np.concatenate([x, [x_plane, y_plane, np.sqrt(x_plane**2 + y_plane**2)]]), name)
        windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1))), (3, 3), (1, 2))
        rows = windows.transpose(1, 2, 0, 3, 4).reshape(height * width, -1)
        rows = rows - rows.mean(1, keepdims=True)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def spatial(self, x, image):
        seen = self.vgg(image)
        exponents = self.patches(x, "theta") @ self.patches(seen, "phi").T / 0.01  # (target, source)
        shares = np.exp(exponents - exponents.max(0))
        shares /= shares.sum(0)  # over target places
        gamma, beta = (
            (shares @ self.conv(seen, f"getMatrix.get_{n}").ravel()).reshape(1, *x.shape[1:]) for n in ("gamma", "beta")
        )
        return self.block(x * (1 + gamma) + beta, "res1", "residual")

    def image(self, image, source_map, target_map, target_pose, codes, exist, spatial: bool):
        """F_n, and the picture (3, H, W) in [-1, 1]; ``target_pose`` may be None."""
        pose = [] if target_pose is None else [target_pose]
        x = self.encoder(np.concatenate([source_map, target_map, *pose, image]), "parenc")
        x = matched = self.block(self.per_region(x, codes, exist, target_map), "res", "residual")
        if spatial:
            x = self.spatial(x, image)
        for n, kind in enumerate(("up", "residual", "up", "residual")):
            x = self.block(x, f"dec.block{n}", kind)
        x = leaky(self.norm(x, "dec.out.model.0"), 0.1)
        return matched, np.tanh(self.conv(x, "dec.out.conv1", mode="reflect"))

    def judge(self, x):
        """Logits of the discriminator, (1, H/16, W/16)."""
        for name in ("block0", "encoder0", "encoder1", "encoder2"):
            y = leaky(self.conv(leaky(x, 0.1), f"{name}.model.1"), 0.1)
            means = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2).mean((2, 4))
            x = self.conv(y, f"{name}.model.3", stride=2) + self.conv(means, f"{name}.shortcut.1")
        return self.conv(leaky(x, 0.1), "conv")


def leaky(x, slope: float):
    return np.where(x > 0, x, slope * x)
