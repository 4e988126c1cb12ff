package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/internal/meter"
)

// measured is a controller process that measures the cost of its reconciles.
type measured struct {
	*process
	http http.Client
	runs int // number of its migrations
	idle meter.Memory
	busy meter.Memory
}

// spawnMeasured starts a controller for the migrations of a share. It reports
// no calls, because the reports would count as its own work.
func (g *fixture) spawnMeasured(share string) *measured {
	g.Helper()
	socket := filepath.Join(g.Dir(), g.namespace+"-"+share)
	m := &measured{http: http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}}
	g.Cleanup(m.http.CloseIdleConnections)
	m.process = g.spawn(g.Config, "-report", "", "-selector", "share="+share, "-concurrency", "8", "-measure", socket)
	require.Eventually(g, func() bool { _, err := os.Stat(socket); return err == nil }, timeout, tick)
	return m
}

// get reads measurements from the process.
func (m *measured) get(what string, into any) {
	m.g.Helper()
	response, err := m.http.Get("http://controller/" + what)
	require.NoError(m.g, err)
	defer response.Body.Close()
	require.Equal(m.g, http.StatusOK, response.StatusCode)
	require.NoError(m.g, json.NewDecoder(response.Body).Decode(into))
}

func (m *measured) figures() (f meter.Figures) {
	m.g.Helper()
	m.get("figures", &f)
	return f
}

// loads returns the number of migrations of TestLoadOfProcesses: LOAD, or a
// few that only check that the test works.
func loads(t *testing.T) int {
	text := os.Getenv("LOAD")
	if text == "" {
		return 12
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, "LOAD")
	require.GreaterOrEqual(t, n, 8, "LOAD")
	return n
}

// TestLoadOfProcesses runs many migrations at once, each to its end: on one
// process, and on two that share them by a label. It logs the cost as results
// of benchmarks, and writes it to the file that LOAD_FILE names.
func TestLoadOfProcesses(t *testing.T) {
	n := loads(t)
	var results []string
	for processes := 1; processes <= 2; processes++ {
		t.Run(fmt.Sprintf("processes=%d", processes), func(t *testing.T) {
			results = append(results, load(t, processes, n)...)
		})
	}
	text := fmt.Sprintf("date: %s\n%s\n", time.Now().UTC().Format(time.DateOnly), strings.Join(results, "\n"))
	t.Log("\n" + text)
	if file := os.Getenv("LOAD_FILE"); file != "" {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
}

// load runs migrations to their end, and returns the cost.
func load(t *testing.T, processes, n int) (results []string) {
	g := newFixture(t, common, withSubresource)
	var all []*measured
	for i := range processes {
		m := g.spawnMeasured(share(i))
		m.get("memory", &m.idle)
		all = append(all, m)
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%d", richest[i%2].name, i)
		g.plan(names[i], richest[i%2].plan)
	}
	begin := time.Now()
	for i, name := range names {
		k := i / 2 % processes
		all[k].runs++
		g.migrateLabelled(name, richest[i%2].spec, map[string]string{"share": share(k)})
	}
	// When each migration has been reconciled this often, all have begun and
	// none is done.
	for _, m := range all {
		require.Eventually(t, func() bool { return m.figures().Reconciles >= 12*m.runs }, time.Hour, 10*tick)
		m.get("memory", &m.busy)
	}
	for i, name := range names {
		var o api.Migration
		require.Eventually(t, func() bool {
			require.NoError(t, g.client.Get(g.ctx, client.ObjectKey{Namespace: g.namespace, Name: name}, &o))
			return o.Status.Done
		}, 2*time.Hour, 10*tick, name)
		require.Equal(t, phases.Succeeded, o.Status.Result, name)
		var shown []string
		for _, s := range o.Status.Pipeline {
			shown = append(shown, s.Name)
		}
		require.Equal(t, stepsOf(t, mtc.Final, expected(t, mtc.Final, richest[i%2].flags, nil)), shown, name)
	}
	took := time.Since(begin)
	total := 0
	for i, m := range all {
		f := m.figures()
		total += f.Reconciles
		assert.LessOrEqual(t, f.Writes, 60*m.runs, "a write for each phase, and some for flags and retries")
		live := float64(m.busy.Heap-m.idle.Heap-m.busy.Cached) / float64(m.runs) / 1024
		results = append(results, fmt.Sprintf("BenchmarkLoad/processes=%d/process=%d 1 "+
			"%d runs %.1f reconciles/run %.1f writes/run %.1f others/run "+
			"%.3f p50-ms %.3f p99-ms %.3f p50-wall-ms %.3f p99-wall-ms %.1f KiB/run %.1f KiB-cached/run",
			processes, i+1, m.runs, per(f.Reconciles, m.runs), per(f.Writes, m.runs), per(f.Others, m.runs),
			ms(f.OwnP50), ms(f.OwnP99), ms(f.WallP50), ms(f.WallP99), live, per(m.busy.Cached, m.runs)/1024))
	}
	return append(results, fmt.Sprintf("BenchmarkLoad/processes=%d 1 %d runs %.1f s/all %.1f reconciles/s",
		processes, n, took.Seconds(), float64(total)/took.Seconds()))
}

func share(i int) string { return string(rune('a' + i)) }

func per(what, runs int) float64 { return float64(what) / float64(runs) }

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
