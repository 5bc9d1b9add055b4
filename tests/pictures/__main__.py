"""Draw the pictures of docs/pictures anew: ``make pictures``."""

from __future__ import annotations

from tests.pictures.scenes import PICTURES, picture
from tests.pictures.stored import stored

for name in PICTURES:
    stored(name).write_text(picture(name))
