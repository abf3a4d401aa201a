using Orderwright.Client;

namespace Orderwright.Cli;

/// <summary>Exit codes of the tool.</summary>
static class Exit
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>The server refused the operation: out of stock, not cancellable, and so on.</summary>
    public const int Refused = 3;

    /// <summary>The server is unreachable or overloaded.</summary>
    public const int Unreachable = 4;
    public const int TimedOut = 5;

    /// <summary>Nothing is known to be wrong, and something was not judged.</summary>
    public const int NotJudged = 6;

    /// <summary>A file contains nothing that can be read and imported.</summary>
    public const int Unreadable = 7;

    /// <summary>The server requires an API key, or does not know the key.</summary>
    public const int NoKey = 8;

    /// <summary>The key lacks a right.</summary>
    public const int NotAllowed = 9;

    /// <summary>The exit code for a failed call.</summary>
    public static int Of(ApiReply reply) => reply.Failure switch
    {
        ApiFailure.Unreachable => Unreachable,
        ApiFailure.TimedOut => TimedOut,
        _ => reply.Status switch
        {
            400 => Usage,
            401 => NoKey,
            403 => NotAllowed,
            409 or 412 or 422 => Refused,
            429 or 503 => Unreachable,
            _ => Failed,
        },
    };

    /// <summary>A failed call in a sentence, with advice on what to do.</summary>
    public static string Advice(ApiReply reply) => reply switch
    {
        { Failure: ApiFailure.Unreachable } => $"{reply.Error} To start a server, run ./orderwright dev.",
        { Status: 401 } => $"The server requires an API key: set ORDERWRIGHT_KEY. {reply.Error}",
        { Status: 403 } => $"The key in ORDERWRIGHT_KEY may not do this. {reply.Error}",
        _ => reply.Error!,
    };
}

/// <summary>Ends the tool with a sentence on standard error and an exit code.</summary>
sealed class ToolException(int exit, string message) : Exception(message)
{
    /// <summary>The exit code, from <see cref="Cli.Exit"/>.</summary>
    public int Exit { get; } = exit;
}
