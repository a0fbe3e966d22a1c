"""What tests and benchmarks share: samples, real servers of their own, programs that are killed."""
