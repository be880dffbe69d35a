"""What a tap and a personalisation cost: `python -m tests.bench` writes var/bench.json."""
