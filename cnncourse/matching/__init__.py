"""Which detection has found which object: plainly for one image, and for all images at once (NumPy).

Two rules are in use. PASCAL VOC asks each detection for the object that it overlaps most, found before or
not; COCO lets it take the best one that is still free. In both the detection with the highest score goes
first, and each object is found once: what comes later is a false positive, however well it fits.
"""

from cnncourse.matching.many import match_all, places
from cnncourse.matching.one import Matches, check_rule, match_detections, match_overlaps

__all__ = ["Matches", "check_rule", "match_all", "match_detections", "match_overlaps", "places"]
