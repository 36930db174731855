"""Views of a batch's traffic shared by several detectors: contacts, host activity, rejections."""
