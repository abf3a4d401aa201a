namespace Orderwright.Http;

/// <summary>Values of <c>code</c> in the <c>errors</c> of a problem with the code <c>invalid_request</c>.</summary>
public static class ErrorCodes
{
    /// <summary>The value is missing, null or blank.</summary>
    public const string Required = "required";

    /// <summary>The value has the wrong JSON type.</summary>
    public const string InvalidType = "invalid_type";

    /// <summary>The property is unknown.</summary>
    public const string UnknownProperty = "unknown_property";

    /// <summary>The property occurs twice.</summary>
    public const string DuplicateProperty = "duplicate_property";

    /// <summary>The operation accepts no body.</summary>
    public const string UnexpectedBody = "unexpected_body";

    /// <summary>The number or the count is outside the allowed range.</summary>
    public const string OutOfRange = "out_of_range";

    /// <summary>The text is too long.</summary>
    public const string TooLong = "too_long";

    /// <summary>The value is not a valid id.</summary>
    public const string InvalidId = "invalid_id";

    /// <summary>The value is none of the listed ones.</summary>
    public const string UnknownValue = "unknown_value";

    /// <summary>The currency is not an ISO 4217 code.</summary>
    public const string UnknownCurrency = "unknown_currency";

    /// <summary>The value is not an RFC 3339 time.</summary>
    public const string InvalidTime = "invalid_time";

    /// <summary>The value is not a duration.</summary>
    public const string InvalidDuration = "invalid_duration";

    /// <summary>The value is not a number.</summary>
    public const string InvalidNumber = "invalid_number";

    /// <summary>The end of the range precedes its start, or the range is too long.</summary>
    public const string InvalidRange = "invalid_range";

    /// <summary>The value is not an e-mail address.</summary>
    public const string InvalidEmail = "invalid_email";

    /// <summary>The metadata key is invalid.</summary>
    public const string InvalidKey = "invalid_key";

    /// <summary>The payment token is missing, too long or not expected.</summary>
    public const string InvalidToken = "invalid_token";

    /// <summary>The cursor was not made by this list.</summary>
    public const string InvalidCursor = "invalid_cursor";

    /// <summary>The query parameter is unknown.</summary>
    public const string UnknownParameter = "unknown_parameter";

    /// <summary>The query parameter occurs twice.</summary>
    public const string RepeatedParameter = "repeated_parameter";

    /// <summary>The Idempotency-Key is not 1 to 255 visible ASCII characters.</summary>
    public const string IdempotencyKeyMalformed = "idempotency_key_malformed";

    /// <summary>The order has no line with this number.</summary>
    public const string UnknownLine = "unknown_line";

    /// <summary>The address is not absolute, or of a scheme that is not allowed.</summary>
    public const string InvalidUrl = "invalid_url";

    /// <summary>The secret is not <c>whsec_</c> and the base64 of 24 to 64 bytes.</summary>
    public const string InvalidSecret = "invalid_secret";

    /// <summary>The option is only available with <c>preview=true</c>.</summary>
    public const string OnlyWithPreview = "only_with_preview";

    /// <summary>The behaviour of the sandbox gateway is unknown.</summary>
    public const string InvalidBehaviour = "invalid_behaviour";
}
