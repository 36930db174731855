"""The evaluation of detection: labelled traffic, scoring, and the rules of peers on the same traffic."""
