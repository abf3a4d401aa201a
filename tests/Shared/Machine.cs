using Orderwright.LocalServers;

namespace Orderwright.Testing;

/// <summary>
/// The servers that this machine offers to tests. A test without its servers is skipped with the reason, so that plain
/// <c>dotnet test</c> runs everywhere; with <c>ORDERWRIGHT_REQUIRE_SERVERS=1</c>, as <c>./orderwright test</c> sets, such a
/// test fails.
/// </summary>
static class Machine
{
    const string RequireServers = "ORDERWRIGHT_REQUIRE_SERVERS";
    const string Remedy = "./orderwright test installs the servers";

    /// <summary>The reason why no private PostgreSQL can start here; null when it can.</summary>
    public static string? LacksPostgres { get; } =
        PrivatePostgres.FindBinaries() is null ? $"PostgreSQL is not installed; {Remedy}." : LacksSession ?? LacksServerUser;

    /// <summary>The reason why no private RabbitMQ can start here; null when it can.</summary>
    public static string? LacksRabbitMq { get; } =
        PrivateRabbitMq.FindProgram() is null ? $"RabbitMQ is not installed; {Remedy}." : LacksSession;

    /// <summary>The reason why the services cannot run as processes on both servers here; null when they can.</summary>
    public static string? LacksServers => LacksPostgres ?? LacksRabbitMq;

    /// <summary>Skips the calling test, or fails it where servers are required, unless <paramref name="reason"/> is null.</summary>
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

    static bool Finds(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "")
        .Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, program)));
}
