"""From facts to ranked causes, one file a kind of trouble. Pure. A judge that has nothing to say answers None."""
