"""What a run found and did, for people, programs and the operations topic. Pure."""
