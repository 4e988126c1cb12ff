package debugtest

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
)

// Dozen records migrations in every state that the pages show, and returns them by name.
func (f *Fixture) Dozen() map[string]*Migration {
	f.T.Helper()
	all := make(map[string]*Migration)
	add := func(name, holds, message string, progress ...string) *Migration {
		all[name] = Final(name, holds, message, progress...)
		return all[name]
	}
	begin := func(name, holds, message string, progress ...string) *Migration {
		f.T.Helper()
		m := add(name, holds, message, progress...)
		f.Drive(m)
		return m
	}
	begin("orders", "", "")
	begin("loyalty", "", "")

	billing := add("billing", mtc.PhaseEnsureCloudSecretPropagated, "")
	billing.Result = runner.Fail("secret cloud-credentials was not found in namespace openshift-migration")
	for range 100 {
		if f.Reconcile(billing); billing.State.Done {
			break
		}
		f.Pass(9 * time.Second)
	}

	search := begin("search", mtc.PhaseEnsureInitialBackup, "backup search-initial is in progress")
	search.Itinerary, search.Holds = mtc.Cancel, ""
	f.Drive(search)

	mail := begin("mail", Copying, "1 of 4 volumes is copied")
	mail.Itinerary, mail.Holds = mtc.Rollback, ""
	f.Drive(mail)

	begin("ledger", Copying, "6 of 7 volumes are copied", "archive-0: 798 of 840 GiB")
	f.Pass(4*time.Hour - 20*time.Minute)

	crm := begin("crm", mtc.PhaseEnsureInitialBackup, "")
	crm.State.Phase = "EnsureInitialBackups"
	f.Reconcile(crm)

	shop := begin("shop", mtc.PhaseEnsureInitialBackup, "")
	shop.Err = &url.Error{
		Op: "Post", URL: "https://api.target.example.com:6443/apis/velero.io/v1/backups",
		Err: errors.New("dial tcp 10.0.12.7:6443: connect: connection refused"),
	}
	f.Repeat(shop, 4, 40*time.Second)

	wiki := add("wiki", "", "")
	wiki.SourcesErr = errors.New(
		"the server was unable to return a response in the time allotted (get imagestreams.image.openshift.io)")
	f.Drive(wiki)

	forum := begin("forum", mtc.PhaseEnsureInitialBackup, "backup forum-initial is in progress")
	forum.Paused = true
	f.Reconcile(forum)

	payments := begin("payments", Copying, "3 of 5 volumes are copied", "data-0: 41 of 120 GiB", "data-1: 12 of 80 GiB")
	f.Pass(7 * time.Minute)

	f.Repeat(add("catalog", "", ""), 9, 4*time.Second)

	portal := add("portal", "", "")
	portal.Paused = true
	f.Reconcile(portal)

	for _, m := range []*Migration{wiki, forum, portal, payments, shop} {
		f.Reconcile(m)
	}
	f.Pass(4 * time.Second)
	return all
}

// Many records n migrations, a third of which keep failing.
func (f *Fixture) Many(n int) {
	for i := range n {
		m := Final(fmt.Sprintf("migration-%04d", i), Copying, "3 of 5 volumes are copied")
		if i%3 == 0 {
			m.Err = errors.New("the server is currently unable to handle the request")
		}
		f.Repeat(m, 2+i%30, 0)
	}
}
