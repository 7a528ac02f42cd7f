"""Faults by the thousand: a study is disturbed at random moments, and everything that is promised is looked at."""
