"""Guarding GPU hosts: one host among many processes (`guard`), many hosts for one run (`pool`)."""
