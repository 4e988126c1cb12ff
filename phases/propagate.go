package phases

// Propagate returns f with the value of every unknown flag that the relations force,
// given the known ones. This is unit propagation (Davis, Putnam, Logemann and
// Loveland): if all but one of the literals of a clause are false, the remaining one
// must hold, which may in turn force others. Known flags keep their values, so
// relations that f breaks stay broken; [Vocabulary.Broken] lists them. Flags of open
// stay unknown, and nothing is derived from them.
func (v *Vocabulary) Propagate(f Facts, open Flags) Facts {
	for changed := true; changed; {
		changed = false
		for _, c := range v.relations {
			if flag, t := c.forces(f); flag&^open != 0 {
				f, changed = f.Set(flag, t), true
			}
		}
	}
	return f
}

// forces returns the flag that the clause forces and its value. The flag is 0 if the
// clause holds already, is broken, or leaves a choice.
func (c Clause) forces(f Facts) (Flags, Truth) {
	open := (c.True | c.False) &^ f.Known()
	switch {
	case f.yes&c.True != 0 || f.no&c.False != 0, c.True&c.False != 0, open.Len() != 1:
		return 0, Unknown
	case c.True.Has(open):
		return open, True
	}
	return open, False
}
