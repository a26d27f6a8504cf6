"""The storm: the demo's traffic while everything it runs on is killed, frozen and cut off at random."""
