"""The `flowwarden` command: arguments, terminal and clock; what it does is in the package `flowwarden`."""
