// Package main is the part of Argo CD that syncs, and the Redis that it wants: one program, started under the name of
// what it shall be. Argo CD's own program has the user interface, the command line and its other controllers in it,
// too, which nothing here starts and which take longest to build.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alicebob/miniredis/v2"
	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	server "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
)

func main() {
	if err := run(filepath.Base(os.Args[0])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string) error {
	switch name {
	case "argocd-application-controller":
		return controller.NewCommand().Execute()
	case "argocd-repo-server":
		return server.NewCommand().Execute()
	case "argocd-redis":
		return redis(os.Args[1:])
	default:
		return fmt.Errorf("start this program as argocd-application-controller, argocd-repo-server or argocd-redis, not as %q", name)
	}
}

// redis serves until a signal ends it. Argo CD keeps nothing in Redis but what it can compute again.
func redis(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: argocd-redis HOST:PORT")
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(args[0]); err != nil {
		return fmt.Errorf("listen at %s: %w", args[0], err)
	}
	defer server.Close()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
	return nil
}
