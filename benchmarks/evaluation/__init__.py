"""The evaluation of detection: labelled traffic, the judge, and the rules of peers on the same traffic."""
