"""The `flowwarden` command: arguments, terminal and clock. The logic is in the package `flowwarden`."""
