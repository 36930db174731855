"""What is there and what policy wants: inventory, interface activity, the desired flow log. Pure."""
