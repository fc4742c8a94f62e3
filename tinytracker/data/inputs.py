from dataclasses import dataclass


@dataclass(frozen=True)
class InputSpec:
    kind: str
    width: int
    height: int
    channels: str
    grid: str

    def shapes(self):
        if self.kind == "itracker":
            s = (224, 224, 3)
            return dict(face=s, left_eye=s, right_eye=s, grid=(25, 25, 1))
        return {
            "image": (
                self.height,
                self.width,
                (3 if self.channels == "rgb" else 1) + 2 * (self.grid == "input"),
            )
        }
