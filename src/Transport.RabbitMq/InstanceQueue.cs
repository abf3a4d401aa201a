using System.Buffers;
using System.Security.Cryptography;

namespace Orderwright.Transport.RabbitMq;

/// <summary>
/// Names of the instances' own queues, <c>{service}@{instance}</c>. A binding to <c>{service}.#</c> does not match them, and a
/// user with the rights of the service may declare them.
/// </summary>
static class InstanceQueue
{
    // A routing key has at most 255 bytes, including the service and the type.
    const int MaxLength = 100;

    static readonly SearchValues<char> Allowed = SearchValues.Create(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

    public static string NameOf(string service, string instance) => $"{service}@{instance}";

    /// <summary>
    /// Reads the instance from the AMQP property <c>reply-to</c>; null for none and for a foreign address. The service in the
    /// address is ignored: a reply goes to the service that its type belongs to.
    /// </summary>
    public static string? InstanceOf(string? replyTo) =>
        replyTo?.IndexOf('@', StringComparison.Ordinal) is { } at and > 0 && IsValid(replyTo.AsSpan(at + 1))
            ? replyTo[(at + 1)..]
            : null;

    /// <summary>
    /// Returns a new name, readable by people: host, process, and chance, because a broken connection may still hold its queue.
    /// </summary>
    public static string NewInstance()
    {
        var host = string.Concat(Environment.MachineName.TakeWhile(letter => letter != '.').Where(Allowed.Contains).Take(60));
        return $"{host}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
    }

    static bool IsValid(ReadOnlySpan<char> instance) =>
        instance.Length is > 0 and <= MaxLength && !instance.ContainsAnyExcept(Allowed);
}
