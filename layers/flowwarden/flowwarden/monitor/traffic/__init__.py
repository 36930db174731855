"""What several detectors need to know about a batch's traffic: contacts, host activity, rejections."""
