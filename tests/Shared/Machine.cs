using Orderwright.LocalServers;

namespace Orderwright.Testing;

/// <summary>
/// The servers available to tests on this machine. A test without servers is skipped with the reason, so plain
/// <c>dotnet test</c> runs everywhere. With <c>ORDERWRIGHT_REQUIRE_SERVERS=1</c>, set by <c>./orderwright test</c>, the test
/// fails instead.
/// </summary>
static class Machine
{
    const string RequireServers = "ORDERWRIGHT_REQUIRE_SERVERS";
    const string Remedy = "./orderwright test installs the servers";

    /// <summary>The obstacle to a private PostgreSQL on this machine, or null.</summary>
    public static string? LacksPostgres { get; } =
        PrivatePostgres.FindBinaries() is null ? $"PostgreSQL is not installed; {Remedy}." : LacksSession ?? LacksServerUser;

    /// <summary>The obstacle to a private RabbitMQ on this machine, or null.</summary>
    public static string? LacksRabbitMq { get; } =
        PrivateRabbitMq.FindProgram() is null ? $"RabbitMQ is not installed; {Remedy}." : LacksSession;

    /// <summary>The obstacle to services on both servers, or null.</summary>
    public static string? LacksServers => LacksPostgres ?? LacksRabbitMq;

    /// <summary>Skips the calling test, or fails where servers are required; null passes.</summary>
    public static void Require(string? reason)
    {
        if (reason is null) return;
        if (Environment.GetEnvironmentVariable(RequireServers) == "1")
            throw new InvalidOperationException($"{reason} {RequireServers} is 1, so this test fails instead of being skipped.");
        Assert.Skip(reason);
    }

    static string? LacksSession => Finds("setsid") ? null : "Private servers need setsid, which this machine lacks.";

    // PostgreSQL refuses to run as root: a root shell starts the server as the user that the package created.
    static string? LacksServerUser =>
        Environment.UserName != "root" ? null
        : !Finds("setpriv") ? "Started by root, PostgreSQL needs setpriv, which this machine lacks."
        : File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? null
        : "Started by root, PostgreSQL needs the user postgres, which this machine lacks.";

    public static bool Finds(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
