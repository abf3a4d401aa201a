using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Orderwright.Runtime;

/// <summary>Moments of a batch at which a crash leaves most behind.</summary>
public enum FaultPoint
{
    /// <summary>Everything is written, nothing is durable.</summary>
    BeforeCommit,

    /// <summary>The batch is durable, and neither the client nor the next service has been notified.</summary>
    AfterCommit,

    /// <summary>Messages were sent but the batch is not acknowledged: all messages are redelivered.</summary>
    AfterPublish,
}

/// <summary>Crashes for trials.</summary>
public sealed class FaultSettings
{
    /// <summary>
    /// Moment at which the process kills itself: <c>before-commit</c>, <c>after-commit</c> or <c>after-publish</c>, with
    /// <c>:20</c> at the twentieth batch, or <c>:0.01</c> at each batch with that probability. Default: never.
    /// </summary>
    public string Fault { get; set; } = "";

    /// <summary>Allows <c>ORDERWRIGHT_FAULT</c> with keys or beyond loopback.</summary>
    public bool FaultAllowed { get; set; }
}

/// <summary>
/// Kills the process as abruptly as SIGKILL, at a moment hardly ever hit by a random kill.
/// <c>ORDERWRIGHT_FAULT=after-commit</c> kills at the first batch, <c>after-commit:20</c> at the twentieth,
/// <c>after-commit:0.01</c> at each batch with that probability. Only batches with a waiting client or an outgoing message
/// count.
/// </summary>
public sealed class FaultPoints(FaultPoint point, int at, double probability, Action die)
{
    int reached;

    /// <summary>
    /// Null without the setting. For trials only: if keys protect the service, or other machines can reach it,
    /// <c>ORDERWRIGHT_FAULT_ALLOWED=true</c> is required as well.
    /// </summary>
    public static FaultPoints? Read(IConfiguration configuration)
    {
        var settings = configuration.Bind<FaultSettings>();
        if (settings.Fault is not { Length: > 0 } fault) return null;
        if (!IsTrial(configuration) && !settings.FaultAllowed)
            throw new InvalidSettingException(
                $"{Settings.Prefix}FAULT lets this service kill itself, but the service is not set up for a trial: it has " +
                $"keys, or listens beyond loopback. Allowed: no {Settings.Prefix}FAULT, or {Settings.Prefix}FAULT_ALLOWED=true.");
        var parts = fault.Split(':', 2);
        FaultPoint? point = parts[0] switch
        {
            "before-commit" => FaultPoint.BeforeCommit,
            "after-commit" => FaultPoint.AfterCommit,
            "after-publish" => FaultPoint.AfterPublish,
            _ => null,
        };
        var when = parts.ElementAtOrDefault(1) ?? "1";
        var isCount = int.TryParse(when, NumberStyles.None, CultureInfo.InvariantCulture, out var at) && at > 0;
        var isProbability =
            double.TryParse(when, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var probability)
            && probability is > 0 and < 1;
        if (point is null || !(isCount || isProbability))
            throw new InvalidSettingException(
                "FAULT", fault,
                "before-commit, after-commit or after-publish; :20 for the twentieth batch, :0.01 for each with that probability");
        return new(point.Value, isCount ? at : 0, isCount ? 0 : probability, Die);
    }

    public void Reach(FaultPoint here)
    {
        if (here != point) return;
        if (Interlocked.Increment(ref reached) == at
            || (probability > 0 && RandomNumberGenerator.GetInt32(int.MaxValue) < probability * int.MaxValue))
            die();
    }

    static bool IsTrial(IConfiguration configuration) =>
        configuration["KEYS"] is not { Length: > 0 }
        && (configuration["LISTEN"] is not { Length: > 0 } listen
            || (Uri.TryCreate(listen, UriKind.Absolute, out var address) && address.IsLoopback));

    // Like SIGKILL: no handler runs, nothing is flushed.
    static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
