"""What a sweep over a thousand VPCs costs, and what others' checks say of the same account afterwards."""
