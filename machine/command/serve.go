package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/debug"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// serveOptions are the options of serve.
type serveOptions struct {
	runOptions
	address string
}

func (a *app) serve() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:  "serve (-f FILE... | -i ITINERARY)",
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serves(cmd, &o) },
	}
	o.register(a, cmd, "with -f, only this "+a.noun()+": `NAME` or NAMESPACE/NAME", "default 60x")
	cmd.Flags().StringVar(&o.address, "address", "127.0.0.1:0", "listen on this `HOST:PORT`; port 0 is a free one")
	complete(cmd, "address", cobra.NoFileCompletions)
	return cmd
}

// serves serves the debug pages until the user interrupts it.
func (a *app) serves(cmd *cobra.Command, o *serveOptions) error {
	host, port, err := net.SplitHostPort(o.address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("--address takes HOST:PORT, such as 127.0.0.1:8080, not %q", o.address)
	}
	var pages served
	if cmd.Flags().Changed("itinerary") && len(o.files) == 0 {
		pages, err = a.servedSimulation(cmd, o)
	} else {
		pages, err = a.servedObjects(cmd, o)
	}
	if err != nil {
		return err
	}
	handler, err := debug.NewHandler(pages.recorder, debug.HandlerOptions{Title: a.title(), Now: pages.now})
	if err != nil {
		return err
	}
	// Before this, Ctrl-C ends the process, even while it waits for standard input.
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.address)
	if err != nil {
		a.problem(fmt.Errorf("cannot listen on %s: %w; choose another with --address", o.address, err))
		return errReported
	}
	defer listener.Close()
	url := listener.Addr().String()
	if at, ok := listener.Addr().(*net.TCPAddr); ok && at.IP.IsUnspecified() { // any address is served: print one that can be typed
		url = net.JoinHostPort("localhost", strconv.Itoa(at.Port))
	}
	if _, err := fmt.Fprintf(a.stdout, "http://%s/\n", url); err != nil {
		return &writeError{err}
	}
	a.line("press Ctrl-C to end")
	a.failed = false // problems with the objects are printed; the rest is served

	simulated := make(chan error, 1)
	go func() {
		if pages.simulate == nil {
			simulated <- nil
			return
		}
		simulated <- pages.simulate(ctx)
	}()
	err = serveUntil(ctx, listener, checkHost(handler, host))
	stop()
	if simulationErr := <-simulated; simulationErr != nil && !errors.Is(simulationErr, errInterrupted) {
		a.problem(simulationErr)
	}
	if err != nil {
		a.problem(err)
	}
	return nil
}

// serveUntil serves until the context is done, which also ends all streams.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		// The server logs only errors of connections, which clients cause.
		ErrorLog: log.New(io.Discard, "", 0),
	}
	ended := make(chan struct{})
	stopped, stop := context.WithCancel(ctx)
	go func() {
		defer close(ended)
		<-stopped.Done()
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(limit); err != nil {
			_ = server.Close()
		}
	}()
	err := server.Serve(listener)
	stop()
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving ended: %w", err)
}

// title returns the heading of the pages.
func (a *app) title() string {
	first, size := utf8.DecodeRuneInString(a.noun())
	return string(unicode.ToUpper(first)) + a.noun()[size:] + "s"
}

// served describes what to serve.
type served struct {
	recorder *debug.Recorder
	now      func() time.Time
	simulate func(context.Context) error // nil if nothing is simulated
}

// simulationOptions are the options of serve for a simulation only.
var simulationOptions = []string{"fail-at", "cancel-at", "on-fail", "on-cancel", "flag-flips-at", "choose", "speed", "max-phases"}

// servedObjects returns the runs of objects as they were read.
func (a *app) servedObjects(cmd *cobra.Command, o *serveOptions) (served, error) {
	f, _, err := a.family(cmd, &o.subject)
	if err != nil {
		return served{}, err
	}
	for _, option := range simulationOptions {
		if cmd.Flags().Changed(option) {
			return served{}, fmt.Errorf("--%[1]s is for a simulated %[2]s; leave out --%[1]s, or give -i ITINERARY without -f",
				option, a.noun())
		}
	}
	set, err := f.set()
	if err != nil {
		a.problem(err)
		return served{}, errReported
	}
	values, err := parseSettings(f.vocabulary(), o.set)
	if err != nil {
		return served{}, err
	}
	all := a.read(&o.subject)
	if len(all.Runs) == 0 {
		return served{}, errReported
	}
	runs := all.Runs
	if o.name != "" {
		r, err := a.choose(all, cmd.Name(), o.name)
		if err != nil {
			return served{}, err
		}
		runs = []*Run{r}
	}
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: set, MaxRuns: len(runs), MaxSize: len(runs) * runSize})
	if err != nil {
		return served{}, err
	}
	for _, r := range runs {
		recorded := r.Recorded()
		g, err := a.graphOf(r)
		if err == nil {
			err = recorded.StateErr
		}
		if err != nil {
			a.problem(r.wrong(err))
			continue
		}
		name := debug.Name{Namespace: r.object().Namespace, Name: r.object().Name, Item: r.Item}
		recorder.Record(name, a.stateOf(cmd.Context(), all, r, recorded, g, o.today, values), recorded.State.PausedSince != nil)
	}
	a.noteLeftOut()
	a.notes(all)
	return served{recorder: recorder, now: time.Now}, nil
}

// runSize is the size limit for each run that was read: a state with all its texts.
const runSize = 128 << 10

// stateOf returns the state of a run, with the current itinerary and the known flags.
func (a *app) stateOf(
	ctx context.Context, all *reading, r *Run, recorded Recorded, g *machine.Graph, today bool, set settings,
) runner.State {
	s := recorded.State
	f := a.find(ctx, all, r, recorded, g, today, set)
	if s.Itinerary != "" && s.Itinerary != g.Name() {
		s.Phase = ""
	}
	s.Itinerary = g.Name()
	s.Facts = g.Vocabulary().Record(f.facts, g.Hash())
	if len(s.Pipeline) == 0 && s.Phase == "" && !s.Done {
		s.Pipeline = steps.Sync(nil, steps.Snapshot{Plan: g.Plan(f.facts)}, time.Now()) // the pipeline that it will begin with
	}
	return s
}

// servedSimulation returns a run with simulated work, on a clock that begins now.
func (a *app) servedSimulation(cmd *cobra.Command, o *serveOptions) (served, error) {
	if o.speed == "" {
		o.speed = fmt.Sprint(speedOnTerminal)
	}
	o.format = formatTable // serve has no other
	s, err := a.simulation(cmd, &o.runOptions)
	if err != nil {
		return served{}, err
	}
	clock := new(simulatedClock)
	recorder, err := debug.NewRecorder(debug.Options{Itineraries: s.set, Now: clock.read})
	if err != nil {
		return served{}, err
	}
	s.begin = time.Now().UTC().Truncate(time.Second)
	name := func(s *simulation) debug.Name { return debug.Name{Name: s.itinerary} }
	observer, err := debug.NewObserver(recorder, name)
	if err != nil {
		return served{}, err
	}
	s.observers = []runner.Observer[*simulation]{observer}
	if err := s.prepare(); err != nil {
		return served{}, err
	}
	clock.set(s)
	return served{recorder: recorder, now: clock.read, simulate: func(ctx context.Context) error {
		err := s.run(ctx, clock)
		if err != nil && !errors.Is(err, errInterrupted) {
			return s.wrong(err)
		}
		return err
	}}, nil
}

// simulatedClock is the clock of a simulation. It is a view that only reads the time.
type simulatedClock struct{ now atomic.Pointer[time.Time] }

func (c *simulatedClock) read() time.Time                     { return *c.now.Load() }
func (c *simulatedClock) set(s *simulation)                   { now := s.now; c.now.Store(&now) }
func (c *simulatedClock) event(s *simulation, _ runner.Event) { c.set(s) }
func (c *simulatedClock) show(s *simulation) error            { c.set(s); return nil }
func (c *simulatedClock) tick(s *simulation) error            { c.set(s); return nil }
func (c *simulatedClock) end(*simulation) error               { return nil }

// checkHost refuses requests for another host than the one listened on, because a page of
// another site whose name resolves to this address (DNS rebinding) must not read anything. IP
// addresses and localhost are served.
func checkHost(next http.Handler, listened string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
		if net.ParseIP(host) == nil && host != "localhost" && (listened == "" || host != strings.ToLower(listened)) {
			http.Error(w, "use the IP address of this server, or localhost", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
