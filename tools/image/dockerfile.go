package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// recipe is what a stage of the Dockerfile says of its image.
type recipe struct {
	copies     []copied
	user       string
	ports      []string
	entrypoint []string
	cmd        []string
	labels     map[string]string
}

// copied is one file from an earlier stage.
type copied struct{ from, to string }

// read is strict: what it does not know how to do as docker would is refused, so that the two cannot drift apart.
func read(path, name string, args pairs) (*recipe, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	stages, _, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	for _, stage := range stages {
		if stage.Name == name {
			found, err := recipeOf(stage, args, shell.NewLex(parsed.EscapeToken))
			if err != nil {
				return nil, fmt.Errorf("stage %s of %s: %w", name, path, err)
			}
			return found, nil
		}
	}
	return nil, fmt.Errorf("%s has no stage %s", path, name)
}

func recipeOf(stage instructions.Stage, args pairs, lex *shell.Lex) (*recipe, error) {
	if stage.BaseName != "scratch" {
		return nil, fmt.Errorf("it begins from %s, and only scratch is known", stage.BaseName)
	}
	r := &recipe{labels: map[string]string{}}
	known := []string{}
	for _, command := range stage.Commands {
		if c, ok := command.(instructions.SupportsSingleWordExpansion); ok {
			env := shell.EnvsFromSlice(known)
			err := c.Expand(func(word string) (string, error) {
				expanded, _, err := lex.ProcessWord(word, env)
				return expanded, err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", command, err)
			}
		}
		switch c := command.(type) {
		case *instructions.ArgCommand:
			for _, arg := range c.Args {
				value, given := args.get(arg.Key)
				if !given {
					value = arg.ValueString()
				}
				known = append(known, arg.Key+"="+value)
			}
		case *instructions.LabelCommand:
			for _, label := range c.Labels {
				r.labels[label.Key] = label.Value
			}
		case *instructions.CopyCommand:
			if err := r.copy(c); err != nil {
				return nil, err
			}
		case *instructions.UserCommand:
			r.user = c.User
		case *instructions.ExposeCommand:
			r.ports = append(r.ports, c.Ports...)
		case *instructions.EntrypointCommand:
			if c.PrependShell {
				return nil, fmt.Errorf("%s: there is no shell in the image", c)
			}
			r.entrypoint = c.CmdLine
		case *instructions.CmdCommand:
			if c.PrependShell {
				return nil, fmt.Errorf("%s: there is no shell in the image", c)
			}
			r.cmd = c.CmdLine
		default:
			return nil, fmt.Errorf("%s: not known here", command)
		}
	}
	return r, nil
}

func (r *recipe) copy(c *instructions.CopyCommand) error {
	plain := c.From != "" && c.Chown == "" && c.Chmod == "" && !c.Link && !c.Parents &&
		len(c.ExcludePatterns) == 0 && len(c.SourceContents) == 0 && len(c.SourcePaths) == 1
	if !plain || strings.ContainsAny(c.SourcePaths[0], "*?[") || strings.HasSuffix(c.DestPath, "/") {
		return fmt.Errorf("%s: only COPY --from=STAGE FILE FILE is known here", c)
	}
	r.copies = append(r.copies, copied{c.SourcePaths[0], c.DestPath})
	return nil
}
