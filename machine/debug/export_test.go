package debug

import (
	"net/http"
	"time"
)

// Negotiate is negotiate with the media type as its result; empty for none.
func Negotiate(accept ...string) string {
	f := negotiate(accept)
	if f == noForm {
		return ""
	}
	return mediaTypes[f]
}

// ParseName and Object expose how a name is written in a link.
var ParseName = parseName

// Object returns the parameter "name" of a run.
func (n Name) Object() string { return n.object() }

// SetPace sets the heartbeat and lifetime of a handler's streams.
func SetPace(h http.Handler, heartbeat, lifetime time.Duration) {
	h.(*handler).heartbeat, h.(*handler).lifetime = heartbeat, lifetime
}

// Assets returns the names of the asset files.
func Assets() []string { return []string{sheet.name, script.name, icon.name} }

// SetWriteTimeout bounds each write to a stream of a handler.
func SetWriteTimeout(h http.Handler, d time.Duration) { h.(*handler).writeTimeout = d }
