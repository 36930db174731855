"""The commands of `flowwarden`, one file each."""
