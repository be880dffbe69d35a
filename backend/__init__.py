"""Clearing and finance: takes in what terminals hand over, has it proven, keeps the books, pays the venues.

It knows venue, offer, amount, day, fund and one nullifier per transaction; never a pass or its holder.
"""
