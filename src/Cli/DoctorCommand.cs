using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.LocalServers;
using Orderwright.Runtime.Database;
using Orderwright.Verification;

namespace Orderwright.Cli;

/// <summary><c>doctor</c>: checks this machine and the server, and suggests a fix for each finding.</summary>
static class DoctorCommand
{
    /// <param name="Name">Subject of the check.</param>
    /// <param name="Good">Null where a failure is harmless.</param>
    /// <param name="Finding">The finding, with a fix where one is needed.</param>
    sealed record Diagnosis(string Name, bool? Good, string Finding);

    public static Command Create()
    {
        var data = new Option<string>("--data") { DefaultValueFactory = _ => "./data", Description = "Data directory to check." };
        data.Validators.Add(CommonOptions.RefuseFile);
        var json = CommonOptions.Json();
        var command = new Command("doctor", "Check this machine and suggest fixes.") { data, json };
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
                        writer.WriteString("says", diagnosis.Finding);
                        writer.WriteEndObject();
                    }
                    writer.WriteEndArray();
                });
            foreach (var diagnosis in found) output.Mark(diagnosis.Good, $"{diagnosis.Name}: {diagnosis.Finding}");
            return found.Any(diagnosis => diagnosis.Good == false) ? Exit.Failed : Exit.Ok;
        });
        return command;
    }

    static async Task<List<Diagnosis>> ExamineAsync(string data, CancellationToken cancel)
    {
        var found = new List<Diagnosis> { Sdk(), DataDirectory(data), Postgres(), RabbitMq() };
        found.AddRange(SettingsFound());
        found.AddRange(await ServerAsync(cancel));
        found.AddRange(await DatabasesAsync(data, cancel));
        return found;
    }

    // An image holds the runtime only, and needs no more: the SDK is for a checkout.
    static Diagnosis Sdk()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_RUNNING_IN_CONTAINER") == "true")
            return new(".NET", true, $"{Environment.Version}, in a container");
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
                    $"{full} has only {free >> 20} MB free; free some space, or choose another directory with --data.")
                : new("data directory", true, $"{full} is writable, {free >> 30} GB free");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new("data directory", false, $"{full} is not writable ({error.Message}); choose another with --data.");
        }
    }

    static Diagnosis Postgres() => Found(
        "PostgreSQL", PrivatePostgres.FindBinaries(),
        "not found. dev does not need it; for up, apt-get install postgresql, or pass --postgres.");

    static Diagnosis RabbitMq() => Found(
        "RabbitMQ", PrivateRabbitMq.FindProgram(),
        "not found. dev does not need it; for up, apt-get install rabbitmq-server, or pass --rabbitmq.");

    static Diagnosis Found(string name, string? path, string missing) =>
        path is null ? new(name, null, missing) : new(name, true, path);

    static IEnumerable<Diagnosis> SettingsFound()
    {
        string? wrong = null;
        try
        {
            _ = Server.Address;
        }
        catch (InvalidAddressException error)
        {
            wrong = error.Message;
        }
        if (wrong is not null) yield return new("settings", false, wrong);
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_KEY") is { Length: > 0 } key
            && !key.StartsWith("ow_", StringComparison.Ordinal) && key.Split('.').Length != 3)
            yield return new(
                "settings", false,
                "ORDERWRIGHT_KEY is neither an Orderwright key nor an access token; create a key with ./orderwright keys add.");
        if (wrong is null) yield return new("settings", true, $"the server address is {Server.Address}");
    }

    static async Task<List<Diagnosis>> ServerAsync(CancellationToken cancel)
    {
        Uri address;
        try
        {
            address = Server.Address;
        }
        catch (InvalidAddressException)
        {
            return [];
        }
        try
        {
            var client = await Server.ConnectAsync(cancel);
            var orders = (await client.GetAsync(ServiceNames.Order, "/orders?limit=1", cancel)).RequireReply();
            if (!orders.IsSuccess) return [new("server", false, $"{address} replies with an error: {orders.Error}")];
            var health = await Task.WhenAll(ServiceNames.All.Select(service => client.GetHealthAsync(service, cancel)));
            return
            [
                new("server", true, $"{address} replies"),
                .. ServiceNames.All.Zip(health, InstanceOf).OfType<Diagnosis>(),
            ];
        }
        catch (ApiException error)
        {
            Diagnosis server = new("server", null, Exit.Advice(error.Reply));
            return address.IsLoopback ? [server, Ports(address.Port)] : [server];
        }
    }

    // Only a service with a broker has instances, and only an operator's key sees their names.
    static Diagnosis? InstanceOf(string service, ApiReply health) =>
        health.Body.Part("instances")?.Part(service) is not { } instance ? null
        : instance.TextOrNull("active") is not { } active
            ? new("instances", null, $"{service}: {instance.Text("name")} replies; the active instance is not known yet")
        : active == instance.Text("name") ? new("instances", true, $"{service}: {active} is active")
        : new("instances", true, $"{service}: {active} is active, {instance.Text("name")} stands by");

    // Names the databases in the data directory, and compares them with those of the server.
    static async Task<List<Diagnosis>> DatabasesAsync(string data, CancellationToken cancel)
    {
        const string Name = "databases";
        if (ServiceDatabases.AddressesIn(data) is null)
            return [new(Name, null, $"{Path.GetFullPath(data)} holds none; ./orderwright dev or up creates them.")];
        var opened = ServiceDatabases.Open(data, null, null);
        try
        {
            var verifier = new Verifier(
                opened.ToDictionary(database => database.Service, database => database.Database), TimeProvider.System);
            var read = await verifier.IdentifyAsync(cancel);
            var found = opened.Select(database => new Diagnosis(
                Name, true,
                $"{database.Service}: {database.Place}, created "
                + $"{read.First(one => one.Service == database.Service).Since:yyyy-MM-dd HH:mm} UTC")).ToList();
            if (await ServiceDatabases.DifferenceFromServerAsync(verifier, read, cancel) is { } difference)
                found.Add(new(
                    Name, !Server.IsNamed ? null : false,
                    $"the server at {Server.Address} {difference}; pass its data directory with --data."));
            return found;
        }
        catch (DatabaseUnavailableException error)
        {
            return [new(Name, null, $"{opened[0].Place} cannot be read now: {error.Message}")];
        }
        catch (Exception error) when (error is ApiException or InvalidAddressException)
        {
            // Reported by the other checks.
            return [.. opened.Select(database => new Diagnosis(Name, true, $"{database.Service}: {database.Place}"))];
        }
        finally
        {
            foreach (var (_, database, _) in opened) await database.DisposeAsync();
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
            : new("ports", false, $"in use by another program: {string.Join(", ", busy)}; stop that program, or use --port N.");
    }
}
