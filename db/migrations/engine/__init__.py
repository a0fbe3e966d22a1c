"""What applies and reverts numbered migrations, whatever interrupts it."""
