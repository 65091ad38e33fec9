"""Data: digits, photos and drawn scenes, which need no download; files of CIFAR-10, PASCAL VOC and COCO."""
