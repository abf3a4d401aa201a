namespace Orderwright.Cli;

/// <summary>The tool's exit codes (API.md, "The tool").</summary>
static class Exit
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>The server understood and said no: out of stock, not cancellable, below what is promised.</summary>
    public const int Refused = 3;

    /// <summary>Nobody answers, or whoever answers is too busy.</summary>
    public const int Unreachable = 4;
    public const int TimedOut = 5;
}

/// <summary>Ends the tool with one sentence on standard error and an exit code.</summary>
sealed class ToolException(int exit, string message) : Exception(message)
{
    /// <summary>One of <see cref="Cli.Exit"/>.</summary>
    public int Exit { get; } = exit;
}
