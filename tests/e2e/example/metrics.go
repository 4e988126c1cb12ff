package example

import (
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// Metrics returns the options of a metrics server that also serves the pages
// of machine/debug. It serves both over TLS, to clients that the API server
// authenticates and authorizes.
func Metrics(address string, pages http.Handler) server.Options {
	return server.Options{
		BindAddress:    address,
		SecureServing:  true,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
		ExtraHandlers:  map[string]http.Handler{"/debug/pipeline/": pages},
	}
}
