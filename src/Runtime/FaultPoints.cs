using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Configuration;

namespace Orderwright.Runtime;

/// <summary>The moments of a batch at which a crash leaves the most behind.</summary>
public enum FaultPoint
{
    /// <summary>Everything is written, nothing is durable.</summary>
    BeforeCommit,

    /// <summary>It is durable, and nobody has been told: neither the client nor the next service.</summary>
    AfterCommit,

    /// <summary>It was sent on, and not acknowledged: all of it comes again.</summary>
    AfterPublish,
}

/// <summary>
/// Lets the process kill itself, as hard as SIGKILL, at a moment that a random kill hardly ever meets.
/// <c>ORDERWRIGHT_FAULT=after-commit</c> dies there the first time, <c>after-commit:20</c> the twentieth,
/// <c>after-commit:0.01</c> each time with that probability. Only batches count that somebody waits for.
/// </summary>
public sealed class FaultPoints(FaultPoint point, int at, double probability, Action die)
{
    int reached;

    /// <summary>
    /// Null without the setting. It is for trials: where others than this machine can reach the service, or keys
    /// guard it, <c>ORDERWRIGHT_FAULT_ALLOWED=true</c> has to be said too.
    /// </summary>
    public static FaultPoints? Read(IConfiguration configuration)
    {
        if (configuration["FAULT"] is not { Length: > 0 } said) return null;
        if (!IsTrial(configuration) && !string.Equals(configuration["FAULT_ALLOWED"], "true", StringComparison.OrdinalIgnoreCase))
            throw new InvalidSettingException(
                $"{Settings.Prefix}FAULT lets this service kill itself, and it is not set up for a trial: it has keys, or " +
                $"listens wider than loopback. Allowed: no {Settings.Prefix}FAULT, or {Settings.Prefix}FAULT_ALLOWED=true.");
        var parts = said.Split(':', 2);
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
                "FAULT", said,
                "before-commit, after-commit or after-publish; with :20 the twentieth time, with :0.01 each time by chance");
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

    // No handler runs, nothing is flushed: SIGKILL.
    static void Die()
    {
        using var self = Process.GetCurrentProcess();
        self.Kill();
    }
}
