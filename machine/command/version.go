package command

import "runtime/debug"

// devel is the version of a build from a checkout.
const devel = "(devel)"

// version returns the version of the catalogue, or of the module that the command was built
// from.
func (a *app) version() string {
	if a.catalogue.Version != "" {
		return a.catalogue.Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	for _, s := range info.Settings {
		// In a checkout Go derives a version from the commit, which no release has.
		if s.Key == "vcs" {
			return devel
		}
	}
	if info.Main.Version == "" {
		return devel
	}
	return info.Main.Version
}
