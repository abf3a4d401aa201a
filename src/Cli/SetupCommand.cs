using System.CommandLine;
using System.Security.Cryptography;
using Orderwright.Contracts;
using Orderwright.Hosting;
using Orderwright.Hosting.Keys;
using Orderwright.Http;
using Orderwright.Transport.RabbitMq;

namespace Orderwright.Cli;

/// <summary>
/// <c>setup</c>: generates the passwords of an installation, the addresses with which each service reaches its database and the
/// broker, the broker's definitions, the key that seals sessions of the console, and the first API key. Used by the one-shot
/// container of deploy/compose.yaml.
/// </summary>
static class SetupCommand
{
    // Readable inside a volume: only containers that mount the volume see the files.
    const UnixFileMode Readable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static Command Create()
    {
        var directory = new Argument<string>("directory")
        {
            Description = "Directory for the files, with a subdirectory per service, for postgres, rabbitmq and keys.",
        };
        var postgres = new Option<string>("--postgres")
        {
            Description = "Hosts of PostgreSQL as the services see them, separated by commas.",
            DefaultValueFactory = _ => "postgres",
        };
        var rabbit = new Option<string>("--rabbitmq")
        {
            Description = "Nodes of RabbitMQ as the services see them, separated by commas.",
            DefaultValueFactory = _ => "rabbitmq",
        };
        var command = new Command(
            "setup",
            "Generate the passwords, addresses, broker definitions, session key and first API key of a container installation.")
        {
            directory, postgres, rabbit,
        };
        command.SetAction(parsed =>
        {
            Run(parsed.GetValue(directory)!, parsed.GetValue(postgres)!, parsed.GetValue(rabbit)!);
            return Exit.Ok;
        });
        return command;
    }

    static void Run(string directory, string postgres, string rabbit)
    {
        var keys = Path.Combine(directory, "keys", "keys.json");
        // An installation of release 0.1.0 has none.
        if (!File.Exists(Path.Combine(directory, "keys", "session.key")))
            Write(directory, "keys", "session.key", Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        // Written last, so that an interrupted run starts over.
        if (File.Exists(keys))
        {
            Console.WriteLine("Keeping the passwords and keys of an earlier start.");
            return;
        }
        var isReplicated = postgres.Contains(',', StringComparison.Ordinal);
        var isCluster = rabbit.Contains(',', StringComparison.Ordinal);
        Write(directory, "postgres", "superuser", Password());
        if (isReplicated) Write(directory, "postgres", "replication", Password());
        if (isCluster) Write(directory, "rabbitmq", "cookie", Password());
        var brokerPasswords = new Dictionary<string, string>();
        foreach (var service in ServiceNames.All)
        {
            var word = Databases.WordOf(service);
            var password = Password();
            brokerPasswords[service] = Password();
            Write(directory, "postgres", word, password);
            Write(
                directory, service, "database",
                $"postgres://orderwright_{word}:{password}@{postgres}/orderwright_{word}"
                + (isReplicated ? "?target_session_attrs=read-write" : ""));
            Write(directory, service, "transport", $"amqp://{service}:{brokerPasswords[service]}@{rabbit}/");
        }
        Write(
            directory, "rabbitmq", "definitions.json",
            BrokerRights.Definitions(service => brokerPasswords[service], "", isCluster));
        var key = KeyFile.Add(keys, "admin", [.. Scopes.All.Order(StringComparer.Ordinal)], DateTimeOffset.UtcNow,
            channels: [ChannelSet.Any]);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(keys, Readable);
        Console.WriteLine("An API key with all scopes, shown only once. More keys: docker compose run --rm keys add");
        Console.WriteLine(key);
    }

    static string Password() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));

    static void Write(string directory, string owner, string name, string content)
    {
        var file = Path.Combine(Directory.CreateDirectory(Path.Combine(directory, owner)).FullName, name);
        File.WriteAllText(file, content);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, Readable);
    }
}
