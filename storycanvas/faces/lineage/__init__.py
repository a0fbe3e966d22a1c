"""Where pictures come from: the tree of operations above one."""
