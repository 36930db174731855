"""The evaluation of detection: labeled traffic, scoring, and the rules of peers on the same traffic."""
