"""Take frames of videos, for face_within.py.

python benchmarks/real_faces_frames.py VIDEOS FRAMES

Runs in the environment with MediaPipe (real_faces_truth.py), which has OpenCV; it imports nothing of tinytracker. Of
each video 18 frames are kept, evenly spread, as VIDEO-NUMBER.jpg with a longer side of at most 720 px.
`real_faces_videos.csv` lists the videos of the documentation by repository, commit, path and hash.
"""

import sys
from pathlib import Path

import cv2

FRAMES, LONGEST_PX, QUALITY = 18, 720, 95


def main():
    """Write the frames of all videos of a folder."""
    videos, out = Path(sys.argv[1]), Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(videos.glob("*.mp4")):
        video = cv2.VideoCapture(str(path))
        length = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        wanted = {round((k + 0.5) * length / FRAMES) for k in range(FRAMES)}
        number = kept = 0
        while video.grab():
            if number in wanted:
                _, frame = video.retrieve()
                scale = LONGEST_PX / max(frame.shape[:2])
                if scale < 1:
                    frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                name = out / f"{path.stem}-{kept:02d}.jpg"
                cv2.imwrite(str(name), frame, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
                kept += 1
            number += 1
        print(f"{path.name}: {kept} of {length} frames")


if __name__ == "__main__":
    main()
