"""What people decide and share: declared kinds, operations, and the fold that makes a record.

Read in this order: `field` (how a kind is declared), `operation` (what one change says), `fold`
(how operations become a record), `undo` (how they are taken back), `port` (what the store offers),
then one file of `kinds`.
"""
