using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using Orderwright.LocalServers;

namespace Orderwright.Cli;

/// <summary><c>doctor</c>: what is missing on this machine, and what to do about it, one sentence each.</summary>
static class DoctorCommand
{
    /// <param name="Name">What was looked at.</param>
    /// <param name="Good">Null for what may be missing.</param>
    /// <param name="Says">What was found; when not good, what to do.</param>
    sealed record Diagnosis(string Name, bool? Good, string Says);

    public static Command Create()
    {
        var data = new Option<string>("--data") { DefaultValueFactory = _ => "./data", Description = "The data directory." };
        var json = Output.JsonOption();
        var command = new Command("doctor", "What is missing here, and what to do about it.") { data, json };
        command.SetAction(async (parsed, cancel) =>
        {
            var output = new Output(parsed.GetValue(json));
            var found = await ExamineAsync(parsed.GetValue(data)!, cancel);
            if (output.IsJson)
                Output.Json(writer =>
                {
                    writer.WriteStartArray();
                    foreach (var diagnosis in found)
                    {
                        writer.WriteStartObject();
                        writer.WriteString("name", diagnosis.Name);
                        writer.WriteString("state", diagnosis.Good switch { true => "good", false => "bad", null => "note" });
                        writer.WriteString("says", diagnosis.Says);
                        writer.WriteEndObject();
                    }
                    writer.WriteEndArray();
                });
            foreach (var diagnosis in found) output.Mark(diagnosis.Good, $"{diagnosis.Name}: {diagnosis.Says}");
            return found.Any(diagnosis => diagnosis.Good == false) ? Exit.Failed : Exit.Ok;
        });
        return command;
    }

    static async Task<List<Diagnosis>> ExamineAsync(string data, CancellationToken cancel)
    {
        var found = new List<Diagnosis> { Sdk(), DataDirectory(data), Postgres(), RabbitMq() };
        found.AddRange(SettingsFound());
        found.AddRange(await ServerAsync(cancel));
        return found;
    }

    static Diagnosis Sdk()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("dotnet", "--version") { RedirectStandardOutput = true })!;
            var version = process.StandardOutput.ReadToEnd().Trim();
            return Version.TryParse(version.Split('-')[0], out var number) && number.Major >= 10
                ? new(".NET SDK", true, version)
                : new(".NET SDK", false, $"found {version}; install .NET 10 (https://dot.net).");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return new(".NET SDK", false, "dotnet is not on the PATH; install .NET 10 (https://dot.net).");
        }
    }

    static Diagnosis DataDirectory(string data)
    {
        var full = Path.GetFullPath(data);
        try
        {
            Directory.CreateDirectory(full);
            var probe = Path.Combine(full, $".doctor-{Environment.ProcessId}");
            File.WriteAllText(probe, "");
            File.Delete(probe);
            var free = new DriveInfo(full).AvailableFreeSpace;
            return free < 1L << 30
                ? new(
                    "data directory", false,
                    $"{full} has only {free >> 20} MB free; make room, or name another one with --data.")
                : new("data directory", true, $"{full} can be written, {free >> 30} GB free");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new("data directory", false, $"{full} cannot be written ({error.Message}); name another one with --data.");
        }
    }

    static Diagnosis Postgres() => Found(
        "PostgreSQL", PrivatePostgres.FindBinaries(),
        "not found; dev works without it. For up: apt-get install postgresql, or name a server with --postgres.");

    static Diagnosis RabbitMq() => Found(
        "RabbitMQ", PrivateRabbitMq.FindProgram(),
        "not found; dev works without it. For up: apt-get install rabbitmq-server, or name a broker with --rabbitmq.");

    static Diagnosis Found(string name, string? where, string otherwise) =>
        where is null ? new(name, null, otherwise) : new(name, true, where);

    static IEnumerable<Diagnosis> SettingsFound()
    {
        string? wrong = null;
        try
        {
            _ = Api.BaseAddress;
        }
        catch (ToolException error)
        {
            wrong = error.Message;
        }
        if (wrong is not null) yield return new("settings", false, wrong);
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_KEY") is { Length: > 0 } key
            && !key.StartsWith("ow_", StringComparison.Ordinal))
            yield return new("settings", false, "ORDERWRIGHT_KEY is no key of Orderwright; ./orderwright keys add makes one.");
        if (wrong is null) yield return new("settings", true, $"the server is {Api.BaseAddress}");
    }

    static async Task<List<Diagnosis>> ServerAsync(CancellationToken cancel)
    {
        Uri address;
        try
        {
            address = Api.BaseAddress;
        }
        catch (ToolException)
        {
            return [];
        }
        try
        {
            using var api = await Api.ConnectAsync(cancel);
            var order = await api.GetAsync(Contracts.ServiceNames.Order, "/orders?limit=1", cancel);
            return [order.IsSuccess
                ? new("server", true, $"{address} answers")
                : new("server", false, $"{address} answers, but: {order.Detail}")];
        }
        catch (ToolException error)
        {
            return [new("server", null, error.Message), .. address.IsLoopback ? [Ports(address.Port)] : new List<Diagnosis>()];
        }
    }

    static Diagnosis Ports(int first)
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners()
            .Where(listener => IPAddress.IsLoopback(listener.Address) || listener.Address.Equals(IPAddress.Any)
                || listener.Address.Equals(IPAddress.IPv6Any))
            .Select(listener => listener.Port).ToHashSet();
        var busy = Enumerable.Range(first, 4).Where(taken.Contains).ToList();
        return busy.Count == 0
            ? new("ports", true, $"{first} to {first + 3} are free")
            : new("ports", false, $"{string.Join(", ", busy)} are taken by another program; stop it, or use --port N.");
    }
}
