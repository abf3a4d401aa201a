using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.SagaCoordinator.Overview;
using Orderwright.SagaCoordinator.Process;

namespace Orderwright.Cli;

/// <summary>
/// <c>process</c>: prints the process of new orders, checks a process file, and counts the orders of each version.
/// </summary>
static class ProcessCommand
{
    public static Command Create() => new("process", "Show, check and count processes: the order of the steps.")
    {
        Show(), Check(), Census(),
    };

    static Command Show()
    {
        var builtIn = new Option<bool>("--built-in") { Description = "The process without a file, as a start for a file." };
        var command = new Command("show", "Print the process of new orders as a file.") { builtIn };
        command.SetAction(async (parsed, cancel) =>
        {
            if (parsed.GetValue(builtIn))
                await Console.Out.WriteLineAsync(OrderSaga.BuiltIn.ToText());
            else
            {
                var client = await Server.ConnectAsync(cancel);
                var reply = (await client.GetAsync(ServiceNames.Coordinator, "/process", cancel)).OrThrow();
                var (file, _) = ProcessFile.Parse(Encoding.UTF8.GetBytes(reply.Body.GetRawText()));
                await Console.Out.WriteLineAsync(file?.ToText() ?? reply.Body.GetRawText());
            }
            return Exit.Ok;
        });
        return command;
    }

    static Command Check()
    {
        var file = new Argument<string>("file") { Description = "Process file." };
        var seeds = new Option<int>("--seeds")
        {
            Description = "Simulated worlds with faults, in which the steps misbehave; 0 for none.",
            DefaultValueFactory = _ => 2_000,
        };
        seeds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 1_000_000) result.AddError("--seeds must be from 0 to 1000000.");
        });
        var command = new Command("check", "Check a process file, draw it as a Mermaid chart, and simulate it.") { file, seeds };
        command.SetAction(async (parsed, cancel) =>
        {
            var path = Path.GetFullPath(parsed.GetValue(file)!);
            byte[] bytes;
            try
            {
                bytes = await File.ReadAllBytesAsync(path, cancel);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new ToolException(Exit.Usage, $"{path} cannot be read: {error.Message}");
            }
            var (process, faults) = ProcessFile.Parse(bytes);
            foreach (var fault in faults) await Console.Error.WriteLineAsync($"{path}: {fault}");
            if (process is null) return Exit.Failed;
            Console.WriteLine(Mermaid.Of(process.Definition));
            Console.WriteLine($"Valid: {process.Definition.Name} version {process.Definition.Version}, hash {process.Hash}.");
            return parsed.GetValue(seeds) is > 0 and var count ? await SimulateAsync(path, count, cancel) : Exit.Ok;
        });
        return command;
    }

    static Command Census()
    {
        var json = CommonOptions.Json();
        var command = new Command("census", "Count the open orders of each version and step.") { json };
        command.SetAction(async (parsed, cancel) =>
        {
            var client = await Server.ConnectAsync(cancel);
            var census = (await client.GetAsync(ServiceNames.Coordinator, "/process/census", cancel)).OrThrow().Body;
            var output = new Output(parsed.GetValue(json));
            output.ShowJson(census);
            output.Line($"New orders run on version {census.Text("version")}.");
            if (census.Items("lines").Any())
                output.Table(
                    ["version#", "step", "orders#", "oldest"],
                    census.Items("lines").Select(line => new[]
                    {
                        line.Text("version"), line.Text("step"), line.Text("count"), line.Text("oldestAt"),
                    }));
            else
                output.Mark(true, "No order is open.");
            return Exit.Ok;
        });
        return command;
    }

    // The simulation is a program of its own, like the services of up.
    static async Task<int> SimulateAsync(string path, int seeds, CancellationToken cancel)
    {
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Up.FindProgram("Simulation"), "--process", path, "--seeds",
                string.Create(CultureInfo.InvariantCulture, $"1..{seeds}"),
            },
        };
        using var simulation = Process.Start(start) ?? throw new ToolException(Exit.Failed, "The simulation did not start.");
        await simulation.WaitForExitAsync(cancel);
        return simulation.ExitCode == 0 ? Exit.Ok : Exit.Failed;
    }
}
